"""The machine and the software that a training runs on. Run as a module, it prints them."""

from __future__ import annotations

import platform
from pathlib import Path

import msgspec

from benchmarks.training.results import Machine
from mnist_lib.machine import core_count

# What decides how fast a processor multiplies matrices, in Linux's words.
_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni")


def describe_machine() -> Machine:
    """Describe this machine, for which Keras is imported."""
    from mnist_lib.network.backend import has_gpu
    from mnist_lib.training.train import make_record

    record = make_record("float32")
    processor, flags = read_processor(Path("/proc/cpuinfo"))
    return Machine(
        processor=processor,
        cores=core_count(),
        flags=flags,
        gpu=record.device.removeprefix("GPU, ") if has_gpu() else None,
        onednn=uses_onednn(),
        versions=record.versions,
    )


def read_processor(path: Path) -> tuple[str, list[str]]:
    """Return the processor's name, and which of the instructions that matter it has.

    Args:
        path: Linux's ``/proc/cpuinfo``. Without it, the name is the one that Python knows, and there are no flags.
    """
    lines = path.read_text().splitlines() if path.exists() else []
    # Every core has the same fields.
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = [flag for flag in fields.get("flags", "").split() if flag in _FLAGS or flag.startswith("amx_")]
    return fields.get("model name") or platform.processor() or platform.machine(), flags


def uses_onednn() -> bool | None:
    """Return whether TensorFlow computes with oneDNN in this process; None with another backend."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return None
    # TensorFlow has no public way to ask.
    from tensorflow.python.util import _pywrap_util_port  # pyright: ignore[reportAttributeAccessIssue]

    return _pywrap_util_port.IsMklEnabled()


if __name__ == "__main__":
    print(msgspec.json.encode(describe_machine()).decode())
