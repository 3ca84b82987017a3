"""Stops the hopeless runs of an experiment early: successive halving by validation accuracy, with Optuna.

Of the runs that got as far as epoch 1, 3, 9 and so on, the best third goes on. The study is in Optuna's own storage,
``study.log`` in the folder of the experiment, so whoever works the queue next goes on with it. Optuna is needed only
here: requirements-search.txt.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_lib.config import SETTINGS, TrainingConfig
from mnist_lib.experiments.library import Experiment, ExperimentError, ExperimentLibrary
from mnist_lib.experiments.plan import Range, Values
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.storage.files import file_stamp

if TYPE_CHECKING:
    import optuna

REDUCTION_FACTOR = 3
REASON = "its validation accuracy was behind that of the other runs"

# From the first epoch on; the pruner itself would wait for a finished run to find it out.
_FIRST_EPOCH = 1


def require_optuna() -> None:
    """Raise ExperimentError unless Optuna is installed."""
    if not find_spec("optuna"):
        raise ExperimentError("Stopping runs early needs Optuna: pip install -r requirements-search.txt")


class Halving:
    """Looks at runs while they are trained, and asks those that are behind to stop.

    Args:
        store: The runs.
    """

    def __init__(self, store: RunStore) -> None:
        self._library = ExperimentLibrary.beside(store.root)
        self._studies: dict[str, HalvingStudy | None] = {}
        self._seen: dict[str, int] = {}

    def look(self, run: Run) -> None:
        """Ask a run to stop if it belongs to an experiment with halving and is behind.

        Call it often while the run is trained, and when it has ended. It does nothing if the run has no new epoch,
        where Optuna is not installed, and if the study cannot be read.
        """
        member = run.read_member()
        stamp = hash((file_stamp(run.path / "metrics.jsonl"), file_stamp(run.path / "status.json")))
        if member is None or self._seen.get(run.run_id) == stamp:
            return
        self._seen[run.run_id] = stamp
        try:
            if member.experiment not in self._studies:
                self._studies[member.experiment] = self._open(member.experiment)
            study = self._studies[member.experiment]
            snapshot = run.read()
            reason = study.report(member.number, snapshot) if study else ""
        except Exception:  # Optuna raises many types for a bad file; the runs are trained all the same
            self._studies[member.experiment] = None
            return
        if reason and snapshot.is_active:
            run.request(stop=True, reason=reason)

    def _open(self, name: str) -> HalvingStudy | None:
        experiment = self._library.find(name)
        if experiment is None or not experiment.plan.halving or not find_spec("optuna"):
            return None
        return HalvingStudy(experiment, self._library.folder(name) / "study.log")


class HalvingStudy:
    """The study of an experiment: each run is a trial with its settings fixed.

    Args:
        experiment: The experiment.
        path: The file of the study; it is begun if there is none.
    """

    def __init__(self, experiment: Experiment, path: Path) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # The other kind of lock is a link, which not every system lets everybody make.
        backend = JournalFileBackend(str(path), JournalFileOpenLock(str(path)))
        self.study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend),
            study_name=experiment.name,
            direction="maximize",
            pruner=optuna.pruners.SuccessiveHalvingPruner(_FIRST_EPOCH, REDUCTION_FACTOR),
            load_if_exists=True,
        )
        self._distributions = {each.name: _distribution(each) for each in experiment.plan.vary}

    def report(self, number: int, snapshot: RunSnapshot) -> str:
        """Tell the study how far a run is, and return why it should stop, in a few words; empty if it should not.

        Each epoch is told once, also when this is called again after a crash.

        Args:
            number: The run's number in the experiment.
            snapshot: The run as it is now; its settings have to be known.
        """
        import optuna

        if snapshot.config is None:
            return ""
        states = optuna.trial.TrialState
        trial = self._trial(number, snapshot.config)
        if trial.state.is_finished():
            return REASON if trial.state == states.PRUNED else ""
        teller = optuna.trial.Trial(self.study, trial._trial_id)
        for row in snapshot.epochs:
            if row.validation_accuracy is None or not row.complete or row.epoch in trial.intermediate_values:
                continue
            teller.report(row.validation_accuracy, row.epoch)
            if row.epoch < snapshot.config.epochs and teller.should_prune():  # after the last there is nothing to stop
                self.study.tell(trial.number, state=states.PRUNED)
                return REASON
        last = snapshot.last_epoch
        if snapshot.state == "finished" and last and last.validation_accuracy is not None:
            self.study.tell(trial.number, last.validation_accuracy)
        elif snapshot.state == "failed":
            self.study.tell(trial.number, state=states.FAIL)
        return ""

    def _trial(self, number: int, config: TrainingConfig) -> optuna.trial.FrozenTrial:
        """Return the trial of a run; one that has none yet asks for it."""

        def find() -> optuna.trial.FrozenTrial | None:
            return next((trial for trial in self.study.get_trials() if trial.user_attrs.get("run") == number), None)

        if find() is None:
            settings = {name: getattr(config, name) for name in self._distributions}
            self.study.enqueue_trial(settings, user_attrs={"run": number})
        # After a crash just here, the trial of another run may wait before it.
        while (trial := find()) and trial.state.name == "WAITING":
            self.study.ask(self._distributions)
        assert trial
        return trial


def _distribution(varied: Range | Values) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(varied, Values):
        return CategoricalDistribution(varied.values)
    if SETTINGS[varied.name].kind is int:
        return IntDistribution(int(varied.low), int(varied.high), log=varied.is_logarithmic)
    return FloatDistribution(varied.low, varied.high, log=varied.is_logarithmic)
