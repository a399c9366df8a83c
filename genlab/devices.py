"""Which device, precision and memory layout a run uses, and why."""

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

import torch

from genlab.errors import ResourceError
from genlab.words import counted, one_of

PRECISIONS = ("auto", "32-true", "bf16-mixed")
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """A resolved choice; `reason` says in words what was chosen and why."""

    name: str
    accelerator: str
    precision: str
    channels_last: bool
    reason: str


def resolve_accelerator(
    accelerator: str,
    precision: str = "auto",
    channels_last: bool | str = "auto",
    group: str = "trainer.",
) -> str:
    """The accelerator that the words ask for: cpu, cuda or mps; no device is touched.

    `group` is what settings are called by in messages.

    Raises ConfigError for unknown words and ResourceError where the device is not there.
    """
    for key, value, known in (
        ("accelerator", accelerator, ACCELERATORS),
        ("precision", precision, PRECISIONS),
        ("channels_last", channels_last, ("auto", True, False)),
    ):
        one_of(f"{group}{key}", value, known)
    return _available_accelerator(accelerator, f"{group}accelerator")


def choose(accelerator: str, precision: str, channels_last: bool | str) -> Device:
    """Resolve "auto" for this machine; raises what `find` does."""
    accelerator = resolve_accelerator(accelerator, precision, channels_last)
    fast, why = _fast_bf16(accelerator)
    if precision == "auto":
        precision = "bf16-mixed" if fast else "32-true"
    else:
        why = "as set"
    if channels_last == "auto":
        channels_last = precision == "bf16-mixed"
    layout = "channels-last" if channels_last else "channels-first"
    name = _device_name(accelerator)
    return Device(
        name,
        accelerator,
        precision,
        bool(channels_last),
        f"{name}, precision {precision} ({why}), {layout}",
    )


def keep_big_blocks() -> None:
    """Tell glibc to reuse large freed blocks instead of returning them to the kernel.

    Activations are freed and allocated again at every step; page faults for fresh memory cost up
    to a third of a step on CPUs. Does nothing where the C library has no mallopt.
    """
    if platform.system() != "Linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # names of malloc.h
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 1 << 30)
    mallopt(top_pad, 1 << 26)


def forget_sizes() -> None:
    """Have oneDNN keep few convolutions, before the first one: for images of many sizes.

    It keeps one for each size of an input, 1,024 by default, which are gigabytes.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")


def _available_accelerator(name: str, key: str) -> str:
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    device = "cuda" if name == "gpu" else name
    available: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    if device in available and not available[device]():
        raise ResourceError(f"{key}={name}: no such device on this machine; use {key}=cpu or auto")
    return device


def _fast_bf16(accelerator: str) -> tuple[bool, str]:
    if accelerator == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return fast, "the GPU multiplies bf16" if fast else "the GPU has no bf16"
    if accelerator == "mps":
        return False, "bf16 is not faster here"
    if torch.cpu._is_amx_tile_supported():
        return True, "the CPU has AMX"
    if torch.cpu._is_avx512_bf16_supported():
        return True, "the CPU has AVX512-BF16"
    return False, "the CPU has no fast bf16"


def _device_name(accelerator: str) -> str:
    if accelerator == "cuda":
        return f"GPU {torch.cuda.get_device_name()}"
    if accelerator == "mps":
        return "Apple GPU"
    return f"CPU, {counted(torch.get_num_threads(), 'thread')}"
