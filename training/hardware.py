"""What this machine can do, as far as training asks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from accelerate import PartialState  # type: ignore[import-untyped]


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 products where the hardware has them."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16())


def join() -> int:
    """Join the other processes where torchrun or Ray started several; the rank of this one.

    Raises AssertionError where it finds itself alone although it is not: a launcher that starts
    processes which do not know of each other would train the same model in each.
    """
    if _is_spread():
        PartialState(cpu=not torch.cuda.is_available(), backend=backend())
        assert torch.distributed.is_initialized(), "torchrun started this, but no process group"
    return rank()


def _is_spread() -> bool:
    """Whether torchrun started this process, or Ray, which has let it join the others already."""
    return torch.distributed.is_torchelastic_launched() or torch.distributed.is_initialized()


def leave() -> None:
    """Leave the group that `join` joined."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def rank() -> int:
    """The number of this process among those that train together; 0 alone writes."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def world() -> int:
    """How many processes train together."""
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def wait() -> None:
    """Wait until every process is here."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()


def backend() -> str | None:
    """Of several processes on CPUs; one process, or GPUs, need none to be named."""
    return "gloo" if _is_spread() and not torch.cuda.is_available() else None


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
