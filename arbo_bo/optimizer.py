"""The front door: joins the store and the decision."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from arbo_bo.errors import ExperimentNotFoundError, NotEnoughObservationsError
from arbo_bo.experiment import (
    Context,
    Decision,
    Experiment,
    Objective,
    Outcome,
    Prediction,
    Residual,
    SearchSpace,
    Trial,
)
from arbo_bo.experiment.drafts import attached_trials, running_trial
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from arbo_bo.storage import TrialStore

logger = logging.getLogger("arbo_bo")


class ArboOptimizer:
    """Chooses the degree of parallelism for each run of the tasks in one namespace.

    Safe to share between threads, and to inherit through a fork.

    Args:
        store: A database URL (``sqlite:///arbo.db``, ``postgresql://user@host/db``), or a
            `TrialStore`. None: ``$ARBO_DATABASE_URL``, else an SQLite file in the user's data
            folder.
        namespace: Teams that share a database each have their own.

    Raises:
        StoreURLError: The URL cannot be understood.
        InvalidValueError: The namespace is no name.
    """

    def __init__(
        self, store: "str | TrialStore | None" = None, namespace: str = DEFAULT_NAMESPACE
    ) -> None:
        if store is None or isinstance(store, str):
            from arbo_bo.storage import SQLTrialStore

            store = SQLTrialStore(store, namespace=namespace)
        self.store: TrialStore = store

    def __repr__(self) -> str:
        return f"ArboOptimizer({self.store!r})"

    def __enter__(self) -> "ArboOptimizer":
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

        Raises:
            InvalidValueError: A value is outside its domain.
            DegreeNotAllowedError: The given default is not an allowed degree.
        """
        settings = {
            "search_space": None if parallelism is None else SearchSpace.of(parallelism),
            "default_parallelism": default_parallelism,
            "objective": objective,
            "window": window,
            "baseline": baseline,
            "residual": residual,
        }

        def change(stored: Experiment | None) -> Experiment:
            start = stored or Experiment(task, namespace=self.store.namespace)
            return start.changed(settings)

        return self.store.configure(task, change)

    def suggest(
        self, task: str, *, input_size: float | None = None, cluster_load: float | None = None
    ) -> Decision:
        """Decides the degree of the task's next run; its trial is RUNNING from here.

        An unknown task is configured with the defaults.

        Args:
            task: The task's name.
            input_size: Size of the run's input, above 0, in any unit that stays the same from run
                to run; None: unknown.
            cluster_load: Workers that other runs keep busy; None: the degrees of all other RUNNING
                trials in the namespace, other runs of this task included.

        Raises:
            ArboError: A value is outside its domain, or the store failed; no trial was made.
        """
        from arbo_bo.generation import generate

        context = self._context(input_size, cluster_load)
        experiment = self._experiment_or_default(task)
        trials = self.store.history(task, experiment.window)
        generated = generate(experiment, trials, context)
        decision = generated.decision
        (trial,) = self.store.add(task, [running_trial(decision, context)], generated.learned)
        decision = replace(decision, trial_index=trial.trial_index)
        logger.info("%s, trial %d: %s", task, trial.trial_index, decision.reason)
        return decision

    def complete_trial(
        self,
        task: str,
        trial_index: int,
        *,
        execution_time_s: float,
        startup_time_s: float | None = None,
        input_size: float | None = None,
    ) -> Trial:
        """Records what a run took. Twice with the same time changes nothing.

        Args:
            task: The task's name.
            trial_index: The decision's index.
            execution_time_s: Wall time of the stage, start-up included [s], above 0.
            startup_time_s: The part of it that was start-up [s].
            input_size: A size that only the task could see; None: as suggested.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialClosedError: It failed, was abandoned, or was completed with another time.
        """
        outcome = Outcome(execution_time_s, startup_time_s, input_size)
        return self.store.change(task, trial_index, lambda trial: trial.complete(outcome))

    def mark_trial_failed(
        self,
        task: str,
        trial_index: int,
        *,
        reason: str | None = None,
        timed_out_after_s: float | None = None,
    ) -> Trial:
        """Records that a run failed; it never trains the model.

        Args:
            task: The task's name.
            trial_index: The decision's index.
            reason: Why, for people.
            timed_out_after_s: The limit that it was ended at [s]: its time is at least that.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialClosedError: It is completed or abandoned.
        """
        return self.store.change(
            task, trial_index, lambda trial: trial.fail(reason, timed_out_after_s)
        )

    def mark_trial_abandoned(
        self, task: str, trial_index: int, *, reason: str | None = None
    ) -> Trial:
        """Records that a run's outcome will never be known; it never trains the model.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialClosedError: It is completed or failed.
        """
        return self.store.change(task, trial_index, lambda trial: trial.abandon(reason))

    def attach_trial(
        self,
        task: str,
        *,
        parallelism: int,
        execution_time_s: float,
        input_size: float | None = None,
        cluster_load: float | None = None,
        startup_time_s: float | None = None,
    ) -> Trial:
        """Adds a completed run from elsewhere; an unknown task is configured with the defaults.

        A `cluster_load` of None is unknown here: the load of this moment was not that run's.

        Raises:
            DegreeNotAllowedError: The degree is outside the search space.
            InvalidValueError: A value is outside its domain.
        """
        row = {
            "parallelism": parallelism,
            "execution_time_s": execution_time_s,
            "input_size": input_size,
            "cluster_load": cluster_load,
            "startup_time_s": startup_time_s,
        }
        return self.attach_trials(task, [row])[0]

    def attach_trials(self, task: str, rows: Sequence[Mapping[str, Any]]) -> list[Trial]:
        """Adds many completed runs, all or none, oldest first.

        Args:
            task: The task's name.
            rows: The keyword arguments of `attach_trial`, one mapping a run.

        Raises:
            InvalidValueError: A row is wrong; the message says which, and nothing was added.
        """
        try:
            experiment = self.store.experiment(task)
        except ExperimentNotFoundError:  # kept only with its trials, so not before they are valid
            experiment = Experiment(task, namespace=self.store.namespace)
        drafts = attached_trials(experiment, rows)
        self._stored(experiment)
        return self.store.add(task, drafts)

    def predict(
        self,
        task: str,
        *,
        parallelism: int | Sequence[int] | None = None,
        input_size: float | None = None,
        cluster_load: float | None = None,
    ) -> list[Prediction]:
        """Predicts the next run's time at given degrees, the noise of a run included.

        Args:
            task: The task's name.
            parallelism: Allowed degrees; None: all of them.
            input_size: As in `suggest`.
            cluster_load: As in `suggest`.

        Raises:
            NotEnoughObservationsError: No trial is completed yet.
            DegreeNotAllowedError: A degree is outside the search space.
        """
        from arbo_bo.generation import predict

        experiment = self.store.experiment(task)
        space = experiment.search_space
        wanted = [parallelism] if isinstance(parallelism, int) else parallelism
        degrees = space.degrees if wanted is None else [space.require(s) for s in wanted]
        trials = self.store.history(task, experiment.window)
        return predict(experiment, trials, degrees, self._context(input_size, cluster_load))

    def decide(
        self, task: str, *, input_size: float | None = None, cluster_load: float | None = None
    ) -> Decision:
        """What `suggest` would decide now, without a trial.

        Raises:
            ExperimentNotFoundError: There is no such task.
            NotEnoughObservationsError: No trial is completed yet.
        """
        from arbo_bo.generation import generate

        experiment = self.store.experiment(task)
        if not experiment.model.sample_count:
            raise NotEnoughObservationsError(f"{task!r} has no completed run yet")
        trials = self.store.history(task, experiment.window)
        return generate(experiment, trials, self._context(input_size, cluster_load)).decision

    def get_optimal_parallelism(
        self,
        task: str,
        default_val: int,
        *,
        input_size: float | None = None,
        cluster_load: float | None = None,
    ) -> int:
        """The degree that `suggest` would choose now, without a trial. Never raises.

        Args:
            task: The task's name.
            default_val: The answer where nothing is known yet or the store is down; the log says
                why.
            input_size: As in `suggest`.
            cluster_load: As in `suggest`.
        """
        try:
            decision = self.decide(task, input_size=input_size, cluster_load=cluster_load)
        except Exception as err:  # advice fails open: whatever went wrong, the user's run goes on
            logger.warning("%s: taking the default parallelism %s: %s", task, default_val, err)
            return default_val
        return decision.parallelism

    @contextmanager
    def trial(
        self, task: str, *, input_size: float | None = None, cluster_load: float | None = None
    ) -> Iterator[Decision]:
        """Suggests, times the block, and completes; an error in the block fails the trial.

        An interruption (KeyboardInterrupt, SystemExit) abandons it. The block may close the trial
        itself, with a time that it knows better.
        """
        decision = self.suggest(task, input_size=input_size, cluster_load=cluster_load)
        index = decision.trial_index
        assert index is not None
        started = time.perf_counter()
        try:
            yield decision
        except BaseException as err:
            reason = f"{type(err).__name__}: {err}".removesuffix(": ")
            failed = isinstance(err, Exception)
            close = methodcaller("fail" if failed else "abandon", reason)
            self._close_open(task, index, close)
            raise
        elapsed = max(time.perf_counter() - started, 1e-9)
        self._close_open(task, index, lambda t: t.complete(Outcome(elapsed)))

    def experiments(self) -> list[Experiment]:
        """Every experiment in the namespace, by name."""
        return self.store.experiments()

    def experiment(self, task: str) -> Experiment:
        """One experiment.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        return self.store.experiment(task)

    def trials(self, task: str) -> list[Trial]:
        """Every trial of a task, by index."""
        return self.store.trials(task)

    def _close_open(self, task: str, index: int, close: Callable[[Trial], Trial]) -> None:
        self.store.change(task, index, lambda t: close(t) if t.status.is_open else t)

    def _context(self, input_size: float | None, cluster_load: float | None) -> Context:
        context = Context(input_size, cluster_load)
        if cluster_load is not None:
            return context
        return replace(context, cluster_load=float(self.store.running_workers()))

    def _experiment_or_default(self, task: str) -> Experiment:
        try:
            return self.store.experiment(task)
        except ExperimentNotFoundError:
            return self._stored(Experiment(task, namespace=self.store.namespace))

    def _stored(self, experiment: Experiment) -> Experiment:
        return self.store.configure(experiment.name, lambda stored: stored or experiment)
