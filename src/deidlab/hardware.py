"""What this machine can compute with: the device, and the precisions that pay on it."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from deidlab.types import ConfigError

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Resolved = Literal["fp32", "bf16", "fp16"]


def pick_device(device: str = "auto") -> torch.device:
    """The named device, or the best there is. Raises `ConfigError` when a GPU is asked for and there is none."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device={device} was asked for, but PyTorch sees no GPU: set device=auto or device=cpu")
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise ConfigError(f"device is {device!r}; expected auto, cpu, cuda or cuda:NUMBER") from error


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bf16 products run in hardware; elsewhere PyTorch emulates them, a hundred times slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def pick_precision(precision: Precision, device: torch.device) -> Resolved:
    """Resolve "auto" to bf16 where hardware has it, else fp32. Raises `ConfigError` for what the hardware lacks."""
    match precision:
        case "auto":
            return "bf16" if has_fast_bf16(device) else "fp32"
        case "bf16" if not has_fast_bf16(device):
            raise ConfigError(f"precision=bf16: this {device.type} has no bf16 arithmetic; set precision=auto or fp32")
        case "fp16" if device.type != "cuda":
            raise ConfigError(f"precision=fp16 needs a GPU, the device is {device.type}; set precision=auto")
        case "fp32" | "bf16" | "fp16":
            return precision
        case _:
            raise ConfigError(f"precision is {precision!r}; expected auto, fp32, bf16 or fp16")


def autocast(device: torch.device, precision: Resolved) -> torch.autocast:
    """The autocast context for a resolved precision."""
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32")


@cache
def keep_freed_memory() -> None:
    """Let this process keep up to 2 GiB of freed memory instead of giving it back to the system.

    The tensors of a step are freed and asked for again in the next one; by default glibc maps each larger one anew, and
    clearing its pages costs a fifth of a training step in bf16, a third of a forward pass. Does nothing elsewhere.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc
        return
    mmap_max, trim_threshold, top_pad = -4, -1, -2  # malloc.h
    mallopt(mmap_max, 0)  # the gradient of an embedding is larger than any threshold that glibc takes
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 64 * 2**20)


# How PyTorch words it on a CPU; a GPU has `torch.OutOfMemoryError`.
_NO_MEMORY = re.compile("can't allocate memory|not enough memory|bad_alloc|out of memory", re.IGNORECASE)


@contextmanager
def enough_memory(mend: str) -> Iterator[None]:
    """Turn running out of memory into a `ConfigError` that ends on `mend`, the settings that need less of it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and not _NO_MEMORY.search(str(error)):
            raise
        wanted = re.search(r"allocate ([\d.]+ ?\w+)", str(error))
        asked = f" (another {wanted[1]} were asked for)" if wanted else ""
        where = "the GPU" if isinstance(error, torch.OutOfMemoryError) else "main memory"
        raise ConfigError(f"out of memory: {where} is full{asked}: {mend}") from error


def check_compiler(device: torch.device) -> None:
    """Raise `ConfigError` where `torch.compile` would only fail at the first step, for want of a C++ compiler."""
    wanted = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(wanted) is None:
        raise ConfigError(
            f"training.compile=true needs a C++ compiler, and {wanted} is not there: install it (apt install g++), "
            "name another in the environment variable CXX, or set training.compile=false"
        )


def peak_memory(device: torch.device) -> int:
    """Bytes that this process held at most: on the GPU if it computes there, else in main memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
