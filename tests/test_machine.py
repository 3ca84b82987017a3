"""This machine and its processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from mnist_lib.machine import cpu_name, device_name, has_avx2, is_same_process, process_start_time
from tests.support.processes import Python, wait_until

posix_only = pytest.mark.skipif(os.name != "posix", reason="scripts, signals and zombies are POSIX's")


@pytest.fixture(autouse=True)
def forget_device() -> Iterator[None]:
    """Ask for the device anew, before the test and after it."""
    device_name.cache_clear()
    yield
    device_name.cache_clear()


def install_nvidia_smi(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a real program of that name the only one on the path."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@posix_only
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["NVIDIA GeForce GTX 1060 6GB"], "GPU, NVIDIA GeForce GTX 1060 6GB"),
        (["NVIDIA H100", "NVIDIA H100"], "GPU, NVIDIA H100 x 2"),
    ],
)
def test_gpu_is_named_where_nvidia_smi_answers(
    names: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_nvidia_smi(f"print('\\n'.join({names!r}))", tmp_path, monkeypatch)
    assert device_name() == expected


@posix_only
@pytest.mark.parametrize("script", ["raise SystemExit(9)", "print('No devices'); raise SystemExit(6)", "pass"])
def test_processor_is_named_where_nvidia_smi_finds_no_card(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_nvidia_smi(script, tmp_path, monkeypatch)
    assert device_name() == cpu_name()


def test_processor_is_named_without_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert device_name() == cpu_name()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds a process to cores")
def test_cores_are_those_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cpu_name() == "CPU, 1 core"
    finally:
        os.sched_setaffinity(0, allowed)
    plural = "" if len(allowed) == 1 else "s"
    assert cpu_name() == f"CPU, {len(allowed)} core{plural}"


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        # As NumPy 2.2 and NumPy 2.4 report the same processors.
        ({"baseline": ["SSE", "SSE2", "SSE3"], "found": ["SSSE3", "SSE41", "POPCNT", "SSE42"]}, False),
        ({"baseline": ["SSE3"], "found": ["SSE42", "AVX", "F16C"], "not found": ["FMA3", "AVX2"]}, False),
        ({"baseline": ["SSE3"], "found": ["SSE42", "AVX", "F16C", "FMA3", "AVX2"], "not found": ["AVX512F"]}, True),
        ({"baseline": ["X86_V2"], "not found": ["X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR"]}, False),
        ({"baseline": ["X86_V2"], "found": ["X86_V3"], "not found": ["X86_V4"]}, True),
        ({"baseline": ["X86_V2", "X86_V3"], "not found": ["X86_V4"]}, True),
        # ARM, as in a Mac; and a NumPy built without any of this.
        ({"baseline": ["NEON", "NEON_FP16", "NEON_VFPV4", "ASIMD"], "found": ["ASIMDHP"]}, False),
        (None, False),
    ],
)
def test_avx2_is_told_from_what_numpy_found(
    instructions: dict[str, list[str]] | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": instructions} if instructions else {})
    assert has_avx2() is expected


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="only Linux tells it in a file")
def test_avx2_is_what_the_kernel_says() -> None:
    assert has_avx2() is (" avx2 " in Path("/proc/cpuinfo").read_text())


def test_this_process_is_known_by_its_pid_and_start_time() -> None:
    start_time = process_start_time()
    assert start_time <= time.time()
    assert start_time == process_start_time(os.getpid())
    assert is_same_process(os.getpid(), start_time)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the start of a process does not move with the clock")
def test_process_stays_the_same_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    start_time, right = process_start_time(), psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: right - 3600)
    assert is_same_process(os.getpid(), start_time)


def test_pid_used_again_by_another_process_is_not_the_same() -> None:
    assert not is_same_process(os.getpid(), process_start_time() - 3600)
    assert not is_same_process(os.getpid(), process_start_time() + 3600)


@pytest.mark.parametrize("pid", [None, "1", 0, -1, 1.0, 2**31 - 1, 2**100])
def test_impossible_pid_is_no_process(pid: object) -> None:
    assert not is_same_process(pid, process_start_time())


@pytest.mark.parametrize("start_time", [None, "now", float("nan"), float("inf")])
def test_impossible_start_time_is_no_process(start_time: object) -> None:
    assert not is_same_process(os.getpid(), start_time)


@posix_only
def test_process_that_ended_but_was_not_collected_does_not_run(python: Python) -> None:
    process = python.start("-c", "input()")
    start_time = process_start_time(process.pid)
    assert is_same_process(process.pid, start_time)
    os.kill(process.pid, signal.SIGKILL)
    # Not collected by wait(): it stays as a zombie until the end of this test.
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    assert not is_same_process(process.pid, start_time)


def test_process_that_is_gone_does_not_run(python: Python) -> None:
    process = python.start("-c", "input()")
    start_time = process_start_time(process.pid)
    process.kill()
    process.wait()
    assert not is_same_process(process.pid, start_time)
    with pytest.raises(psutil.Error):
        process_start_time(process.pid)


@posix_only
def test_background_process_gives_way_and_leaves_its_group(python: Python) -> None:
    script = "from mnist_lib.machine import run_in_background as f; f(); print('done', flush=True); input()"
    process = python.start("-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    assert psutil.Process(process.pid).nice() == psutil.Process().nice() + 10
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)  # a Ctrl-C here does not reach it
    assert os.getsid(process.pid) == os.getsid(0)
