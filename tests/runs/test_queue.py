"""The queue: an order of runs that survives whoever made it, from which each is taken once."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_lib.access import DEFAULT_LIMITS, Access, Visitor
from mnist_lib.config import PRESETS, TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.runs.queue import MAX_ATTEMPTS, NothingWaitsError, QueueIsWorkedError, RunQueue
from mnist_lib.runs.records import Member, Status, write_json
from mnist_lib.runs.run import NotAllowedError, Run, RunStoreError
from mnist_lib.runs.store import RunStore, TrainingRefusedError
from tests.support.runs import change_json, copy_bundled_run, diverge

CONFIG = replace(PRESETS["fast"], seed=7)
ANNA, BEN = Visitor("a", "Anna"), Visitor("b", "Ben")
DEAD_PID = 2**22 + 1  # larger than any


@pytest.fixture
def queue(store: RunStore) -> RunQueue:
    return RunQueue(store)


def names(queue: RunQueue) -> list[str]:
    return [entry.run.run_id for entry in queue.waiting()]


def as_pupil(store: RunStore, visitor: Visitor, queued: int = 2) -> RunQueue:
    limits = replace(DEFAULT_LIMITS["class"], queued=queued)
    return RunQueue(RunStore(store.root, store.bundled_root, Access("class", limits, visitor)))


def test_queued_run_is_read_with_its_settings_and_waits(queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    snapshot = run.read()
    assert (snapshot.state, snapshot.config, snapshot.is_active) == ("queued", CONFIG, False)
    assert not snapshot.can_continue
    assert names(RunQueue(RunStore(queue.store.root))) == [run.run_id]
    assert queue.store.active_run() is None


def test_runs_wait_in_the_order_in_which_they_came(queue: RunQueue) -> None:
    runs = [queue.add(replace(CONFIG, seed=seed)) for seed in (9, 1, 5)]
    assert names(queue) == [run.run_id for run in runs]


def test_run_moves_up_by_one_place_and_the_first_one_stays(queue: RunQueue) -> None:
    first, second, third = (queue.add(replace(CONFIG, seed=seed)) for seed in range(3))
    queue.move_up(third)
    assert names(queue) == [first.run_id, third.run_id, second.run_id]
    queue.move_up(first)
    assert names(queue) == [first.run_id, third.run_id, second.run_id]


def test_a_name_that_is_no_folder_and_an_address_that_is_no_cluster_are_refused(queue: RunQueue) -> None:
    with pytest.raises(RunStoreError, match="A name has 1 to 100"):
        queue.add(CONFIG, run_id="../outside")
    with pytest.raises(RunStoreError, match="The address of a Dask scheduler"):
        queue.add(CONFIG, cluster="teacher")
    assert queue.waiting(None) == []
    assert [path for path in queue.store.root.parent.rglob("*") if path.is_dir()] == [queue.store.root]


def test_runs_of_an_experiment_are_all_added_or_none(queue: RunQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Run] = []

    def write_member(path: Path, value: object) -> None:
        written.append(Run(path.parent))
        if len(written) == 4:  # the second file of the second run
            raise OSError(28, "No space left on device")
        write_json(path, value)

    monkeypatch.setattr("mnist_lib.runs.queue.write_json", write_member)
    with pytest.raises(RunStoreError, match="No space left on device"):
        queue.add_all([CONFIG, replace(CONFIG, seed=8)], MNIST_DESCRIPTION, "seeds")
    assert len(written) == 4
    assert [path for path in queue.store.root.iterdir() if path.is_dir()] == []


def test_a_run_whose_settings_are_damaged_is_tried_once(queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    (run.path / "config.json").write_text("{")
    with pytest.raises(NothingWaitsError), queue.training_next():
        pass
    assert names(queue) == []


def test_run_that_nobody_trained_is_taken_back_without_a_trace(queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    queue.take_back(run)
    assert queue.store.own_runs() == []
    assert [path for path in queue.store.root.iterdir() if path.is_dir()] == []
    with pytest.raises(RunStoreError, match="does not wait in the queue any more"):
        queue.take_back(run)


def test_run_with_epochs_is_taken_back_without_losing_them(queue: RunQueue, store: RunStore) -> None:
    run = copy_bundled_run(store)
    change_json(run.path / "status.json", state="interrupted", result=None)
    (run.path / "checkpoint-005.weights.h5").touch()
    queue.add_again(run)
    assert names(queue) == [run.run_id]
    queue.take_back(run)
    assert names(queue) == []
    assert len(run.read().epochs) == 5


def test_run_that_cannot_be_continued_does_not_wait(queue: RunQueue, store: RunStore) -> None:
    finished = copy_bundled_run(store)
    with pytest.raises(RunStoreError, match="is finished and cannot be continued"):
        queue.add_again(finished)
    diverge(finished)
    with pytest.raises(RunStoreError, match="cannot be continued"):
        queue.add_again(finished)


def test_runs_of_an_experiment_are_numbered_and_have_names_of_their_own(queue: RunQueue) -> None:
    runs = queue.add_all([CONFIG] * 3, MNIST_DESCRIPTION, "rates", cluster="tcp://127.0.0.1:8786")
    assert len({run.run_id for run in runs}) == 3
    assert [run.read_member() for run in runs] == [Member(experiment="rates", number=number) for number in (1, 2, 3)]
    assert names(queue) == []  # this machine does not train them
    assert [entry.run for entry in queue.waiting("tcp://127.0.0.1:8786")] == runs


def test_of_an_experiment_only_what_is_missing_is_added_again(queue: RunQueue) -> None:
    runs = queue.add_all([CONFIG] * 3, MNIST_DESCRIPTION, "rates")
    queue.take_back(runs[1])
    (added,) = queue.add_all([CONFIG] * 3, MNIST_DESCRIPTION, "rates")
    assert added.read_member() == Member(experiment="rates", number=2)
    assert queue.add_all([CONFIG] * 3, MNIST_DESCRIPTION, "rates") == []


def test_each_run_is_taken_once_in_order(queue: RunQueue) -> None:
    runs = [queue.add(replace(CONFIG, seed=seed)) for seed in range(2)]
    taken = []
    for run in runs:
        with queue.training_next() as (training, config, _):
            taken.append((training.run_id, config.seed))
            active = queue.store.active_run()
            assert active is not None
            assert active.run_id == run.run_id
            with pytest.raises(TrainingRefusedError, match=run.run_id), queue.training_next():
                pass
    assert taken == [(run.run_id, seed) for seed, run in enumerate(runs)]
    with pytest.raises(NothingWaitsError), queue.training_next():
        pass


def test_of_many_who_take_the_same_run_one_gets_it(queue: RunQueue) -> None:
    queue.add(CONFIG)
    (entry,) = queue.waiting()
    got: list[Run] = []
    barrier = threading.Barrier(8)

    def take() -> None:
        barrier.wait()
        with suppress(RunStoreError):
            got.append(queue.take(entry)[0])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.run_id for run in got] == [entry.run.run_id]


def die(run: Run) -> None:
    """Make the run's trainer one that is gone."""
    run.write_status(Status("running", pid=DEAD_PID, pid_start_time=1.0))


def test_run_whose_trainer_was_killed_waits_again_but_not_for_ever(queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    for _ in range(MAX_ATTEMPTS):
        with queue.training_next() as (taken, _, _):
            assert taken.run_id == run.run_id
        die(run)
        assert names(queue) == [run.run_id]
    with pytest.raises(NothingWaitsError), queue.training_next():
        pass
    assert run.read().state == "failed"
    assert run.read().message == f"its trainer ended unexpectedly {MAX_ATTEMPTS} times without finishing an epoch"
    assert names(queue) == []


def test_damaged_run_does_not_stop_the_queue(queue: RunQueue) -> None:
    damaged, whole = (queue.add(replace(CONFIG, seed=seed)) for seed in range(2))
    (damaged.path / "config.json").write_text("{")
    with queue.training_next() as (taken, _, _):
        assert taken.run_id == whole.run_id


def test_paused_queue_gives_nothing_and_keeps_all(queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    queue.pause()
    with pytest.raises(NothingWaitsError), queue.training_next():
        pass
    assert names(queue) == [run.run_id]
    queue.pause(False)
    with queue.training_next() as (taken, _, _):
        assert taken.run_id == run.run_id


def test_run_without_its_place_in_the_queue_is_not_said_to_wait(queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    run.queue_path.unlink()
    assert (run.read().state, run.read().message) == ("interrupted", "it was taken out of the queue")


def test_run_that_a_person_stops_leaves_the_queue(queue: RunQueue) -> None:
    queue.add(CONFIG)
    with queue.training_next() as (run, _, _):
        queue.store.request(run, stop=True)
    die(run)
    assert names(queue) == []


def test_waiting_run_is_deleted_and_renamed_as_any_other(queue: RunQueue) -> None:
    first, second = (queue.add(replace(CONFIG, seed=seed)) for seed in range(2))
    queue.store.delete(first)
    renamed = queue.store.rename(second, "mine")
    assert names(queue) == [renamed.run_id]


def test_run_that_a_cluster_trains_is_neither_renamed_nor_deleted(queue: RunQueue) -> None:
    (run,) = queue.add_all([CONFIG], MNIST_DESCRIPTION, "rates", cluster="tcp://127.0.0.1:8786")
    (entry,) = queue.waiting("tcp://127.0.0.1:8786")
    queue.take(entry)
    for change in (queue.store.delete, lambda run: queue.store.rename(run, "mine")):
        with pytest.raises(RunStoreError, match="is being trained"):
            change(run)
    queue.give_back(run)
    assert run.read().state == "queued"
    queue.store.delete(run)


def test_pupil_has_a_few_places_and_moves_only_past_their_own(store: RunStore) -> None:
    anna, ben = as_pupil(store, ANNA), as_pupil(store, BEN)
    config = replace(TrainingConfig(), epochs=1)
    of_ben = ben.add(config)
    first, second = anna.add(config), anna.add(config)
    with pytest.raises(NotAllowedError, match="At most 2 of your runs can wait here"):
        anna.add(config)
    anna.move_up(second)
    assert names(anna) == [of_ben.run_id, second.run_id, first.run_id]
    refusals = (
        lambda: anna.move_up(second),
        lambda: anna.take_back(of_ben),
        anna.pause,
        lambda: ben.add(config, cluster="tcp://of.ben:8786"),
    )
    for refused in refusals:
        with pytest.raises(NotAllowedError):
            refused()
    assert names(anna) == [of_ben.run_id, second.run_id, first.run_id]
    anna.take_back(first)
    assert anna.add(config).read_queue_record() is not None
    assert [entry.record.minutes for entry in anna.waiting()] == [10, 10, 10]


def test_one_process_works_the_queue_until_nothing_waits(queue: RunQueue) -> None:
    with queue.working():
        assert queue.worker_is_alive()
        with pytest.raises(QueueIsWorkedError), queue.working():
            pass
        run = queue.add(CONFIG)
        assert not queue.rest()
        queue.take_back(run)
        assert queue.rest()
        assert not queue.worker_is_alive()


def test_queue_in_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    queue = RunQueue(RunStore(tmp_path / "file" / "runs"))
    with pytest.raises(RunStoreError, match="Cannot write to the runs folder"):
        queue.add(CONFIG)
    assert queue.waiting() == []


@pytest.mark.parametrize("content", ["{", "[]", '{"rank": "x"}', '{"rank": 1e999}', '{"rank": 1, "attempts": -1}'])
def test_damaged_place_in_the_queue_is_none(content: str, queue: RunQueue) -> None:
    run = queue.add(CONFIG)
    run.queue_path.write_text(content)
    assert names(queue) == []


def test_pupil_trains_on_no_cluster(store: RunStore) -> None:
    with pytest.raises(NotAllowedError):
        as_pupil(store, ANNA).add(CONFIG, cluster="tcp://127.0.0.1:8786")
    assert RunQueue(store).waiting(None) == []
