"""The front door: joins the store and the decision."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import methodcaller
from typing import TYPE_CHECKING

from arbo_bo.acquisition.registry import require as require_acquisition
from arbo_bo.errors import (
    ArboError,
    ExperimentNotFoundError,
    InvalidValueError,
    NotEnoughObservationsError,
    StaleDecisionError,
)
from arbo_bo.experiment import (
    SLO,
    Context,
    Decision,
    Estimator,
    Experiment,
    MeanFunction,
    Objective,
    Outcome,
    Prediction,
    Residual,
    SearchRule,
    SearchSpace,
    Trial,
    validation,
)
from arbo_bo.experiment.drafts import decision_of, running_trial
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.experiment.strategy import AUTO
from arbo_bo.outcomes import Outcomes

if TYPE_CHECKING:
    from arbo_bo.context import LoadSource, SizeSource
    from arbo_bo.context.input_size import Fallback
    from arbo_bo.generation import Generated
    from arbo_bo.storage import TrialStore
    from arbo_bo.storage.protocol import Situation

logger = logging.getLogger("arbo_bo")

DECISIONS_AT_MOST = 4
"""How often a suggestion is decided while others change the task; the last time it stands."""

DEADLINE_S = 5.0
"""How long the store may take over a suggestion [s]."""


class ArboOptimizer(Outcomes):
    """Chooses the degree of parallelism for each run of the tasks in one namespace.

    Safe to share between threads, and to inherit through a fork.

    Args:
        store: A database URL (``sqlite:///arbo.db``, ``postgresql://user@host/db``), or a
            `TrialStore`. None: ``$ARBO_DATABASE_URL``, else an SQLite file in the user's data
            folder.
        namespace: Teams that share a database each have their own.
        cluster_load: Says at each decision how many workers other runs keep busy: a
            `arbo_bo.context.PrometheusLoad`, or any callable. Where it fails or takes more than 2 s
            the load is unknown, and the window's mean load stands in. None: the degrees of all
            other RUNNING trials in the namespace.
        input_size_fallback: What stands for a size that cannot be had from its path or URL: a
            number, or "unknown". None: `suggest` raises.

    Raises:
        StoreURLError: The URL cannot be understood.
        InvalidValueError: The namespace is no name, or another argument is none of these.
    """

    def __init__(
        self,
        store: "str | TrialStore | None" = None,
        namespace: str = DEFAULT_NAMESPACE,
        *,
        cluster_load: "LoadSource | None" = None,
        input_size_fallback: "Fallback" = None,
    ) -> None:
        if cluster_load is not None and not callable(cluster_load):
            raise InvalidValueError(
                f"cluster_load must be a callable that returns workers, got "
                f"{validation.short(cluster_load)}; a load that is known is given to `suggest`"
            )
        self._cluster_load, self._input_size_fallback = cluster_load, input_size_fallback
        if store is None or isinstance(store, str):
            from arbo_bo.storage import SQLTrialStore

            store = SQLTrialStore(store, namespace=namespace)
        elif not hasattr(store, "running_workers"):
            raise InvalidValueError(
                f"a store is a database URL or a TrialStore, got {validation.short(store)}"
            )
        elif namespace not in (DEFAULT_NAMESPACE, store.namespace):
            raise InvalidValueError(
                f"the store works in namespace {store.namespace!r}, not in {namespace!r}"
            )
        super().__init__(store)

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
                "auto": what suits the service level, else "knowledge_gradient".
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

        def change(stored: Experiment | None) -> Experiment:
            start = stored or Experiment(task, namespace=self.store.namespace)
            return start.changed(settings)

        return self.store.configure(task, change)

    def suggest(
        self,
        task: str,
        *,
        input_size: "SizeSource | None" = None,
        cluster_load: float | None = None,
        max_parallelism: int | None = None,
        idempotency_key: str | None = None,
        run_key: str | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> Decision:
        """Decides the degree of the task's next run; its trial is RUNNING from here.

        An unknown task is configured with the defaults. Where another process changes the task at
        the same moment, the decision is taken anew, so that both know of each other.

        Args:
            task: The task's name.
            input_size: Size of the run's input, above 0, in any unit that stays the same from run
                to run, or the path, glob or URL that it is measured at, see
                `arbo_bo.context.input_size_of`; None: unknown.
            cluster_load: Workers that other runs keep busy; None: what the optimizer's source
                says, other runs of this task included.
            max_parallelism: The most workers that there are now: larger degrees are left out of
                this decision.
            idempotency_key: Names this request, such as a workflow's run and task: asked again with
                the same key, the answer is the same trial, and no other one is made.
            run_key: Names the run that this trial belongs to. Older RUNNING trials of the task with
                the same one become ABANDONED: their run has begun anew.
            deadline_s: How long the store may take in all, waiting for locks and trying again
                included [s]. The fit of the model is not counted.

        Raises:
            InvalidValueError: A value is outside its domain, or no allowed degree is as small as
                `max_parallelism`.
            InputSizeError: The input's size cannot be had, and there is no fallback.
            StoreTimeoutError: The deadline is over. No trial was made, or, where the connection
                broke at the last moment, one that its idempotency key or its lease takes care of.
            ArboError: The store failed; no trial was made.
        """
        given = self._context(input_size, cluster_load)
        for key in (idempotency_key, run_key):
            if key is not None:
                validation.identifier("a key", key)
        with self.store.within(deadline_s):
            for attempt in range(1, DECISIONS_AT_MOST + 1):
                situation = self._situation(task, idempotency_key)
                experiment = situation.experiment
                if situation.started is not None:
                    return decision_of(situation.started, experiment.residual)
                generated, context = self._generate(situation, given, max_parallelism, run_key)
                lease = experiment.lease_of(generated.decision.predicted_time_s)
                draft = running_trial(
                    generated.decision, context, lease, given.cluster_load, idempotency_key, run_key
                )
                version = experiment.model.version if attempt < DECISIONS_AT_MOST else None
                try:
                    trial, is_new = self.store.start(task, draft, generated.learned, version)
                except StaleDecisionError:
                    continue
                if not is_new:
                    return decision_of(trial, experiment.residual)
                decision = replace(generated.decision, trial_index=trial.trial_index)
                logger.info("%s, trial %d: %s", task, trial.trial_index, decision.reason)
                return decision
        raise AssertionError("the last attempt is unconditional")

    def _situation(self, task: str, idempotency_key: str | None) -> "Situation":
        """What a decision looks at, runs past their lease abandoned; a new task is configured."""
        try:
            situation = self.store.situation(task, idempotency_key)
        except ExperimentNotFoundError:
            self._stored(Experiment(task, namespace=self.store.namespace))
            situation = self.store.situation(task, idempotency_key)
        if situation.lapsed and self.store.abandon_lapsed():
            situation = self.store.situation(task, idempotency_key)
        return situation

    def predict(
        self,
        task: str,
        *,
        parallelism: int | Sequence[int] | None = None,
        input_size: "SizeSource | None" = None,
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

        experiment = self._standing_in(self.store.experiment(task))
        space = experiment.search_space
        degrees = space.degrees if parallelism is None else space.subset(parallelism)
        trials = self.store.history(task, experiment.window)
        return predict(
            experiment, trials, degrees, self._with_load(self._context(input_size, cluster_load))
        )

    def decide(
        self,
        task: str,
        *,
        input_size: "SizeSource | None" = None,
        cluster_load: float | None = None,
    ) -> Decision:
        """What `suggest` would decide now, without a trial.

        Raises:
            ExperimentNotFoundError: There is no such task.
            NotEnoughObservationsError: No trial is completed yet.
        """
        from arbo_bo.generation import generate

        experiment = self._standing_in(self.store.experiment(task))
        if not experiment.model.sample_count:
            raise NotEnoughObservationsError(f"{task!r} has no completed run yet")
        trials = self.store.history(task, experiment.window)
        return generate(
            experiment, trials, self._with_load(self._context(input_size, cluster_load))
        ).decision

    def get_optimal_parallelism(
        self,
        task: str,
        default_val: int,
        *,
        input_size: "SizeSource | None" = None,
        cluster_load: float | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> int:
        """The degree that `suggest` would choose now, without a trial. Never raises.

        Args:
            task: The task's name.
            default_val: The answer where nothing is known yet or the store is down or slow; the log
                says why.
            input_size: As in `suggest`.
            cluster_load: As in `suggest`.
            deadline_s: As in `suggest`.
        """
        try:
            with self.store.within(deadline_s):
                decision = self.decide(task, input_size=input_size, cluster_load=cluster_load)
        except Exception as err:  # advice fails open: whatever went wrong, the user's run goes on
            logger.warning("%s: taking the default parallelism %s: %s", task, default_val, err)
            return default_val
        return decision.parallelism

    @contextmanager
    def trial(
        self,
        task: str,
        *,
        input_size: "SizeSource | None" = None,
        cluster_load: float | None = None,
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
            try:
                self._close_open(task, index, close)
            except ArboError:  # the block's own error matters more
                logger.exception("%s, trial %d could not be closed", task, index)
            raise
        elapsed = max(time.perf_counter() - started, 1e-9)
        self._close_open(task, index, lambda t: t.complete(Outcome(elapsed)))

    def _close_open(self, task: str, index: int, close: Callable[[Trial], Trial]) -> None:
        self.store.change(task, index, lambda t: close(t) if t.is_open else t)

    def _context(self, input_size: "SizeSource | None", cluster_load: float | None) -> Context:
        """What is given, and what sources outside of the store say."""
        from arbo_bo.context import cluster_load_of, input_size_of

        size = input_size_of(input_size, self._input_size_fallback)
        if cluster_load is None and self._cluster_load is not None:
            cluster_load = cluster_load_of(self._cluster_load)
        return Context(size, cluster_load)

    def _with_load(self, context: Context, workers: int | None = None) -> Context:
        """The context with the load that the store sees: `workers`, or what it says now.

        Where another source is asked, its "unknown" stays: the store's answer would be another
        quantity than the one that the model has learned from.
        """
        if context.cluster_load is not None or self._cluster_load is not None:
            return context
        seen = self.store.running_workers() if workers is None else workers
        return replace(context, cluster_load=float(seen))

    def _standing_in(self, experiment: Experiment) -> Experiment:
        """The experiment with its sibling's law, while its own runs have not told theirs.

        The first fit keeps the sibling's hyperparameters as the prior of the next, marked with
        where they come from; a window of two degrees replaces them.
        """
        like = experiment.strategy.like
        if like is None or experiment.model.hyperparameters:
            return experiment
        try:
            sibling = self.store.experiment(like).model
        except ExperimentNotFoundError:
            logger.warning("%s: there is no task %r to be like any more", experiment.name, like)
            return experiment
        if not sibling.hyperparameters:
            return experiment
        marked = {**sibling.hyperparameters, "like": like}
        model = replace(experiment.model, law=sibling.law, hyperparameters=marked)
        return replace(experiment, model=model)

    def _generate(
        self,
        situation: "Situation",
        given: Context,
        max_parallelism: int | None,
        run_key: str | None,
    ) -> "tuple[Generated, Context]":
        """A decision as things stand, and the context that it was taken in."""
        from arbo_bo.generation import generate

        experiment = self._standing_in(situation.experiment)
        if max_parallelism is not None:
            space = experiment.search_space.up_to(max_parallelism)
            experiment = replace(experiment, search_space=space)
        superseded = [t for t in situation.trials if t.is_superseded_by(run_key)]
        others = [t for t in situation.trials if not t.is_superseded_by(run_key)]
        workers = situation.running_workers - sum(t.parallelism for t in superseded)
        context = self._with_load(given, max(0, workers))
        return generate(experiment, others, context), context
