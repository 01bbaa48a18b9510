"""A configuration that is written with the trial that is decided by it, or not at all."""

from collections.abc import Callable
from dataclasses import replace

from arbo_bo.errors import ExperimentNotFoundError
from arbo_bo.experiment import Experiment, Learned, Trial
from arbo_bo.storage.protocol import Situation
from arbo_bo.storage.store import SQLTrialStore

Change = Callable[[Experiment | None], Experiment]


class DeferringTrialStore(SQLTrialStore):
    """A store whose `configure` only says what would be stored, for one task and one suggestion.

    Decisions see the task as if it were configured so; `start` writes the configuration in the
    trial's transaction. So a suggestion that fails leaves the task as it was.
    """

    _deferred: Change | None = None

    def configure(self, name: str, change: Change) -> Experiment:
        """Keeps the change for `start`, and returns what would be stored."""
        earlier = self._deferred

        def both(stored: Experiment | None) -> Experiment:
            return change(stored if earlier is None else earlier(stored))

        try:
            changed = both(self.experiment(name))
        except ExperimentNotFoundError:
            changed = both(None)
        self._deferred = both
        return self._placed(changed, name)

    def situation(self, name: str, idempotency_key: str | None = None) -> Situation:
        """What a decision looks at, the task configured as it would be."""
        if self._deferred is None:
            return super().situation(name, idempotency_key)
        try:
            found = super().situation(name, idempotency_key)
        except ExperimentNotFoundError:
            new = self._placed(self._deferred(None), name)
            return Situation(new, (), self.running_workers(), lapsed=0)
        return replace(found, experiment=self._placed(self._deferred(found.experiment), name))

    def start(
        self,
        name: str,
        trial: Trial,
        learned: Learned | None = None,
        decided_at: int | None = None,
        change: Change | None = None,
    ) -> tuple[Trial, bool]:
        """Adds the trial and writes the configuration, both or none."""
        return super().start(name, trial, learned, decided_at, change or self._deferred)

    def _placed(self, experiment: Experiment, name: str) -> Experiment:
        return replace(experiment, name=name, namespace=self.namespace)
