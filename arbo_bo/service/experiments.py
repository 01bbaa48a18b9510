"""What is configured: the part of the front door that keeps experiments."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from arbo_bo.acquisition.registry import require as require_acquisition
from arbo_bo.experiment import (
    SLO,
    Estimator,
    Experiment,
    MeanFunction,
    Objective,
    Residual,
    SearchRule,
    SearchSpace,
)
from arbo_bo.experiment.callers import asked_by
from arbo_bo.experiment.strategy import AUTO

if TYPE_CHECKING:
    from arbo_bo.storage import TrialStore

logger = logging.getLogger("arbo_bo")


class Configuration:
    """Configures, lists, renames and deletes experiments.

    Args:
        store: Where experiments and trials are kept.
    """

    def __init__(self, store: "TrialStore") -> None:
        self.store = store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases the database connections; the next call opens new ones."""
        self.store.close()

    def configure_experiment(
        self,
        task: str,
        *,
        parallelism: SearchSpace | tuple[int, int] | Sequence[int] | None = None,
        default_parallelism: int | None = None,
        objective: Objective | None = None,
        window: int | None = None,
        baseline: bool | None = None,
        residual: Residual | str | None = None,
        estimator: Estimator | str | None = None,
        mean: MeanFunction | str | None = None,
        alpha: float | None = None,
        acquisition: str | None = None,
        slo: SLO | Sequence[SLO] | None = None,
        search: SearchRule | str | None = None,
        eta: float | None = None,
        pin: int | None = None,
        dry_run: bool | None = None,
        guard: float | None = None,
        like: str | None = None,
        lease_s: float | None = None,
        caller: str | None = None,
    ) -> Experiment:
        """Creates a task's experiment, or changes its configuration and keeps its trials.

        What is left out keeps its stored value, or starts at the default.

        Args:
            task: The task's name.
            parallelism: Allowed degrees: a tuple ``(1, 32)`` is an inclusive range, a list such as
                ``[1, 2, 4]`` just these. Default 1 to 32.
            default_parallelism: Degree of the probe, and the advice where nothing is known. Default
                5, or the allowed degree nearest to it.
            objective: What is minimised. Default T sqrt(s).
            window: How many of the newest completed trials train the model. Default 50.
            baseline: Whether the first run takes the smallest allowed degree. Default True.
            residual: "multiplicative" (default) or "additive".
            estimator: "gp" (default), or "online": the method's original algorithm.
            mean: The law that the Gaussian process stands on: "amdahl" (default), "usl" (slower
                again past its best degree), "ernest", or "auto", the best of them for the window.
            alpha: For "online", weight of the old value in smoothing, in (0, 1]. Default 0.3.
            acquisition: What chooses: "knowledge_gradient", "expected_cost",
                "expected_improvement", "lcb", "risk_averse", "thompson", "deadline", "budget",
                "constrained_improvement", or a name that another package has registered. Default
                "auto": "budget" for a budget alone, else "knowledge_gradient".
            slo: A `MaxExecutionTime`, a `MaxCost`, or both in a list: whatever chooses, it chooses
                among the degrees that keep them. ``()`` removes them.
            search: Which allowed degrees are looked at, around the law's own optimum: "all"
                (default), "up_to_1.2", "up_to_1.5", "around" or "efficiency".
            eta: For "efficiency", the fraction of the largest speed-up, in (0, 1). Default 0.9.
            pin: Every run takes this degree, arbo only observes. 0 removes it.
            dry_run: Every run takes the default degree; what arbo would have chosen is recorded.
            guard: The default degree is left only for one whose score is not worse with at least
                this probability. 0 removes it.
            like: A task whose law stands in until this one's own runs tell theirs. "" removes it.
            lease_s: How long a run may take before it counts as lost [s]. Default 24 hours, or ten
                times the predicted time where that is longer.
            caller: Who asks, where it is a program that asks again and again: what somebody else
                has changed since it asked last stays, with a warning in the log. None: a person,
                who is obeyed.

        Raises:
            InvalidValueError: A value is outside its domain.
            UnknownAcquisitionError: No acquisition function has that name.
            DegreeNotAllowedError: The given default or pin is not an allowed degree.
            ExperimentNotFoundError: The task to be like does not exist.
        """
        if acquisition is not None and acquisition != AUTO:
            require_acquisition(acquisition)
        if like:
            self.store.experiment(like)
        settings = {
            "search_space": None if parallelism is None else SearchSpace.of(parallelism),
            "default_parallelism": default_parallelism,
            "objective": objective,
            "window": window,
            "baseline": baseline,
            "residual": residual,
            "estimator": estimator,
            "mean": mean,
            "alpha": alpha,
            "acquisition": acquisition,
            "slo": slo,
            "search": search,
            "eta": eta,
            "pin": pin,
            "dry_run": dry_run,
            "guard": guard,
            "like": like,
            "lease_s": lease_s,
        }

        new, notes = Experiment(task, namespace=self.store.namespace), list[str]()

        def change(stored: Experiment | None) -> Experiment:
            if caller is None:
                return (stored or new).changed(settings)
            changed, notes[:] = asked_by(caller, stored, new, settings)
            return changed

        configured = self.store.configure(task, change)
        for note in notes:
            logger.warning("%s", note)
        return configured

    def rename_experiment(self, task: str, name: str) -> Experiment:
        """Gives a task another name; its trials go with it.

        Raises:
            ExperimentNotFoundError: There is no such task.
            InvalidValueError: The name is none, or is taken.
        """
        return self.store.rename(task, name)

    def delete_experiment(self, task: str) -> None:
        """Deletes a task with all its trials, for good.

        Raises:
            ExperimentNotFoundError: There is no such task.
        """
        self.store.delete(task)

    def experiments(self) -> list[Experiment]:
        """Every experiment in the namespace, by name."""
        return self.store.experiments()

    def experiment(self, task: str) -> Experiment:
        """One experiment.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        return self.store.experiment(task)

    def _stored(self, experiment: Experiment) -> Experiment:
        return self.store.configure(experiment.name, lambda stored: stored or experiment)
