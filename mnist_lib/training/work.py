"""Works the queue of this machine: trains what waits in it, each run in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from mnist_lib.runs.queue import QueueIsWorkedError, RunQueue
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import REFUSED_EXIT_CODE, last_line, start_process, stop_process

LOOK_EVERY_S = 0.3

# A trainer that cannot take the next run, as on a full disk, is started so often.
MAX_FAILED_STARTS = 3


def work(
    store: RunStore,
    is_done: Callable[[], bool] | None = None,
    wait: bool = False,
    on_look: Callable[[Run], object] = lambda run: None,
    on_end: Callable[[Run], object] = lambda run: None,
) -> None:
    """Train what waits in the queue, one run after the other.

    If others wait, a training that was started elsewhere is waited for. If the work is interrupted, its training is
    stopped, stays in the queue and is continued by whoever works it next.

    Args:
        store: The runs.
        is_done: Asked several times per second; True ends the work. If it is given, another process may work the
            queue, and this one takes over when that ends.
        wait: Whether to wait for more when nothing waits any more.
        on_look: Called several times per second with the run that is being trained.
        on_end: Called with each run that waited or was being trained, when it does not any more.

    Raises:
        QueueIsWorkedError: Another process works the queue, and ``is_done`` was not given.
        RunStoreError: No trainer can be started, or the folder cannot be written.
        KeyboardInterrupt: By Ctrl-C or SIGTERM.
    """
    queue = RunQueue(store)
    pending: dict[str, Run] = {}
    trainer: subprocess.Popen[str] | None = None
    failed_starts, works = 0, False
    with _interrupted_by_sigterm(), ExitStack() as claim:
        claim.callback(lambda: trainer and stop_process(trainer))
        while True:
            if not works:
                try:
                    claim.enter_context(queue.working())
                    works = True
                except QueueIsWorkedError:
                    if is_done is None:
                        raise
            active = store.active_run()
            if active:
                on_look(active)
            waiting = queue.waiting()
            now = {run.run_id: run for run in [*(entry.run for entry in waiting), *([active] if active else [])]}
            for run in [run for run_id, run in pending.items() if run_id not in now and run.path.exists()]:
                on_end(run)
            failed_starts = failed_starts if now.keys() == pending.keys() else 0
            pending = now
            if is_done and is_done():
                return
            if trainer and trainer.poll() is not None:
                _, errors = trainer.communicate()
                if trainer.returncode not in (0, REFUSED_EXIT_CODE):
                    failed_starts += 1
                    if failed_starts >= MAX_FAILED_STARTS:
                        raise RunStoreError(last_line(errors))
                trainer = None
            if works and trainer is None:
                if waiting and not queue.is_paused():
                    if not active:
                        trainer = start_process(store, ["train-next", "--background-run="])
                # A run of the queue that is being trained, for a process that is gone by now, may wait again.
                elif is_done is None and not wait and not (active and active.read_queue_record()) and queue.rest():
                    return
            time.sleep(LOOK_EVERY_S)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
