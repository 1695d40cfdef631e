"""What tests of more than one folder share."""

from __future__ import annotations

import pytest

from models.encoder import Encoder


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default encoder, loaded once."""
    import torch

    torch.set_num_threads(2)
    return Encoder.load()
