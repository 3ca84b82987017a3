"""Facts about this machine and its processes, found out without loading TensorFlow."""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import psutil


@functools.cache
def device_name() -> str:
    """Return the processor that a training started here would use.

    An NVIDIA card counts where ``nvidia-smi`` answers, because that is also where
    ``make run`` installs TensorFlow with CUDA. A run's own config.json records the
    device that Keras really used.
    """
    if shutil.which("nvidia-smi"):
        try:
            answer = subprocess.run(
                ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            )
            names = answer.stdout.strip().splitlines()
            if names:
                return f"GPU, {names[0]}" + (f" x {len(names)}" if len(names) > 1 else "")
        except (OSError, subprocess.SubprocessError):
            pass
    return cpu_name()


def cpu_name() -> str:
    """Return the processor and the cores this process may use, as in ``CPU, 2 cores``."""
    cores = core_count()
    return f"CPU, {cores} core{'' if cores == 1 else 's'}"


def processor_name() -> str:
    """Return the GPU as ``device_name`` does, or else the processor's model: runs differ between models."""
    if (device := device_name()) != cpu_name():
        return device
    try:
        model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:  # not on macOS and Windows
        model = None
    return (model[1] if model else platform.processor() or platform.machine()) + device.removeprefix("CPU")


def core_count() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def has_avx2() -> bool:
    """Return whether this is an x86 processor with AVX2, which computes eight float32 numbers at once."""
    instructions = (np.show_config(mode="dicts") or {}).get("SIMD Extensions", {})
    # NumPy 2.4 gave AVX2, and what every processor with it has besides, the name of its x86-64 level.
    return not {"AVX2", "X86_V3"}.isdisjoint([*instructions.get("baseline", []), *instructions.get("found", [])])


def process_start_time(pid: int | None = None) -> float:
    """Return when a process began, this one by default: a number that no setting of the clock changes.

    Returns:
        Seconds, since the machine's start on Linux and since the epoch elsewhere.

    Raises:
        psutil.Error: There is no such process.
    """
    began = psutil.Process(pid).create_time()
    # On Linux psutil adds the time of the start, which moves with the clock.
    return began - psutil.boot_time() if psutil.LINUX else began


def is_same_process(pid: object, start_time: object) -> bool:
    """Tell whether the process that once wrote down its pid and start time still runs.

    Both are compared because pids are reused. A process that has ended but is not yet
    collected by its parent does not count as running.
    """
    if not isinstance(pid, int) or not isinstance(start_time, (int, float)) or pid <= 0:
        return False
    try:
        return abs(process_start_time(pid) - start_time) < 2.0 and psutil.Process(pid).status() not in (
            psutil.STATUS_ZOMBIE,
            psutil.STATUS_DEAD,
        )
    except psutil.Error:
        return False


def end_with_input() -> None:
    """End this process at once when its standard input does: when the process that holds the other end is gone."""

    def wait() -> None:
        while os.read(0, 1):  # not sys.stdin, whose lock Python wants when it ends
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run_in_background() -> None:
    """Give this process a low priority and let it survive a Ctrl-C meant for its parent."""
    survive_parent()
    if os.name == "posix":
        os.nice(10)
    else:
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)


def survive_parent() -> None:
    """Let this process survive a Ctrl-C meant for its parent.

    Its own process group is enough for that. In a new session, Linux's autogrouping would share
    the processor between sessions, and a low priority would have no effect.
    """
    if os.name == "posix":
        os.setpgid(0, 0)
