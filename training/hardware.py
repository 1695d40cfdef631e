"""What this machine can do, as far as training asks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 products where the hardware has them."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16())


def backend() -> str | None:
    """Of several processes on CPUs; one process, or GPUs, need none to be named."""
    spread = torch.distributed.is_torchelastic_launched()
    return "gloo" if spread and not torch.cuda.is_available() else None


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
