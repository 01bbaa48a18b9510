"""What arbo asks of a place that keeps experiments and trials."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from arbo_bo.experiment import Experiment, Learned, Trial


@dataclass(frozen=True)
class Situation:
    """What a decision looks at.

    Attributes:
        experiment: The task's configuration, and what was learned.
        trials: Its history: see `TrialStore.history`.
        running_workers: The degrees of all RUNNING trials in the namespace, summed.
        lapsed: How many trials of the namespace are RUNNING past their lease.
        started: The trial that was started with the idempotency key, if one was given.
    """

    experiment: Experiment
    trials: Sequence[Trial]
    running_workers: int
    lapsed: int = 0
    started: Trial | None = None


Change = tuple[str, int | str, Callable[[Trial], Trial]]
"""A task's name, a trial's number or identity, and what becomes of the trial."""


@dataclass(frozen=True, slots=True)
class Start:
    """The RUNNING trial of a decision, to be added.

    Attributes:
        name: The task's name.
        trial: The trial; the store allots its index.
        learned: What was learned on the way.
        decided_at: The experiment's version that was decided on.
    """

    name: str
    trial: Trial
    learned: Learned | None = None
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What `TrialStore.add_each` did.

    Attributes:
        first: The index of the first trial that was added.
        count: How many were added; their indices follow each other.
        known: How many were left out, because the task has them already.
    """

    first: int
    count: int
    known: int


class TrialStore(Protocol):
    """Experiments and trials of one namespace; every method is one transaction.

    A method that raises has changed nothing. Names are those of experiments in the store's
    namespace; an unknown one raises `ExperimentNotFoundError`.
    """

    @property
    def namespace(self) -> str:
        """The namespace that every method works in."""
        ...

    def configure(self, name: str, change: Callable[[Experiment | None], Experiment]) -> Experiment:
        """Stores what `change` makes of the stored experiment (None: there is none yet).

        Only the configuration is written; what was learned, and the trials, stay.
        """
        ...

    def experiment(self, name: str) -> Experiment:
        """The experiment."""
        ...

    def experiments(self) -> list[Experiment]:
        """Every experiment, by name."""
        ...

    def add(
        self,
        name: str,
        trials: Sequence[Trial],
        learned: Learned | None = None,
        decided_at: int | None = None,
    ) -> list[Trial]:
        """Adds trials, all or none, and returns them with the indices that they were given.

        The trial index on entry is ignored: the store allots the next free ones. Trials that train
        count as samples, and the first known size of one becomes the base size.

        Raises:
            StaleDecisionError: The experiment's version is not `decided_at` any more.
        """
        ...

    def add_each(self, name: str, trials: Callable[[Experiment], Iterable[Trial]]) -> Added:
        """Adds any number of trials, all or none, to a task that is made if it is not there.

        One whose idempotency key is the key or the id of a trial that the task had is left out.

        Args:
            name: The task's name.
            trials: Makes them anew for the task as it is stored; a transaction may be run again.
        """
        ...

    def start(
        self,
        name: str,
        trial: Trial,
        learned: Learned | None = None,
        decided_at: int | None = None,
    ) -> tuple[Trial, bool]:
        """Adds the RUNNING trial of a decision; returns it, and whether it is new.

        It is not where a trial with its idempotency key is there already: that one is returned, and
        nothing changes. Otherwise the task's older RUNNING trials of the same run become ABANDONED.
        A lease lasts as long as the trial says, from this moment on.

        Raises:
            StaleDecisionError: The experiment's version is not `decided_at` any more.
        """
        ...

    def situations(self, names: Sequence[str]) -> "list[Situation | None]":
        """What decisions on several tasks look at, read at once; None: no such task."""
        ...

    def start_many(self, starts: "Sequence[Start]") -> list[Trial | None]:
        """Adds the RUNNING trials of several decisions in one transaction.

        None stands for a decision whose experiment has changed since: nothing was added for it.
        """
        ...

    def change_many(self, changes: "Sequence[Change]") -> list[Trial]:
        """`change` for several trials in one transaction, all or none."""
        ...

    def change(self, name: str, trial: int | str, change: Callable[[Trial], Trial]) -> Trial:
        """Replaces a trial, given by its number or its identity, by what `change` makes of it.

        No other writer comes in between reading and writing. A trial that `change` completes
        counts as a sample, and so on, as in `add`.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialGoneError: There is none of that identity.
        """
        ...

    def rename(self, name: str, new_name: str) -> Experiment:
        """Gives an experiment another name, and returns it; its trials go with it.

        Raises:
            InvalidValueError: The name is none, or is taken.
        """
        ...

    def delete(self, name: str) -> None:
        """Deletes an experiment with all its trials."""
        ...

    def trial(self, name: str, trial: int | str) -> Trial:
        """One trial, by its number or its identity."""
        ...

    def trials(self, name: str) -> list[Trial]:
        """Every trial, by index."""
        ...

    def each_trial(self, name: str, first: int = 0) -> Iterator[Trial]:
        """The trials from an index on, by index, read as they are asked for."""
        ...

    def history(self, name: str, window: int) -> list[Trial]:
        """What a decision looks at, by index.

        The newest `window` trials that train, the newest `window` failed ones, and all that run.
        """
        ...

    def latest(self, name: str, window: int) -> list[Trial]:
        """The `window` trials of the highest indices, whatever became of them, by index."""
        ...

    def situation(self, name: str, idempotency_key: str | None = None) -> Situation:
        """What a decision looks at, read at one moment."""
        ...

    def running_workers(self) -> int:
        """The degrees of all RUNNING trials in the namespace, summed; not of expired leases."""
        ...

    def under_way(self) -> list[Trial]:
        """What runs in the namespace, whichever the task: the longest first, 500 at most."""
        ...

    def abandon_lapsed(self) -> int:
        """Abandons every trial of the namespace whose lease has expired; returns how many."""
        ...

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limits what the calls in a block may take in all, waiting and retrying included [s].

        Past it they raise `StoreTimeoutError`.
        """
        ...

    def close(self) -> None:
        """Releases the connections."""
        ...
