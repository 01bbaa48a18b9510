"""`ArboOptimizer`: decides what to run next, and records configuration and outcomes."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Decision, Prediction, Trial, validation
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.service.decisions import Decider, Request
from arbo_bo.service.delivery import deliver, delivered_quietly
from arbo_bo.service.journal import JournalFile
from arbo_bo.service.runs import Undelivered, watched
from arbo_bo.service.workflows import WorkflowPlanning

if TYPE_CHECKING:
    from arbo_bo.context import LoadSource, SizeSource
    from arbo_bo.context.input_size import Fallback
    from arbo_bo.storage import TrialStore

logger = logging.getLogger("arbo_bo")

DEADLINE_S = 5.0
"""How long the store may take over a suggestion [s]."""


class ArboOptimizer(WorkflowPlanning):
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
        self._decider = Decider(store, cluster_load, input_size_fallback)

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
        given = self._decider.context(input_size, cluster_load)
        for key in (idempotency_key, run_key):
            if key is not None:
                validation.identifier("a key", key)
        request = Request(task, given, max_parallelism, idempotency_key, run_key)
        with self.store.within(deadline_s):
            delivered_quietly(self.store)
            return self._decider.suggest(request)

    def suggest_many(
        self,
        tasks: "Mapping[str, SizeSource | None] | Sequence[str]",
        *,
        cluster_load: float | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> dict[str, Decision]:
        """Suggests for several tasks, such as a night's: one read, one batch of fits, one write.

        Each decision sees the cluster as it was before any of them. A task that cannot be decided,
        for want of another package's acquisition function say, is left out, and the log says why.

        Args:
            tasks: Their names, or the size of each one's input, as in `suggest`.
            cluster_load: As in `suggest`.
            deadline_s: As in `suggest`, for all of them together.

        Raises:
            InvalidValueError: A value is outside its domain.
            InputSizeError: An input's size cannot be had, and there is no fallback.
            ArboError: The store failed, or no task could be decided. Trials that were made before
                are ABANDONED, but for those of new tasks, which are decided by themselves.
        """
        if isinstance(tasks, str):
            raise InvalidValueError(f"tasks must be several names, got the string {tasks!r}")
        sizes = tasks if isinstance(tasks, Mapping) else dict.fromkeys(tasks)
        requests = [
            Request(task, self._decider.context(size, cluster_load)) for task, size in sizes.items()
        ]
        with self.store.within(deadline_s):
            delivered_quietly(self.store)
            decisions = self._decider.suggest_many(requests)
        return {decision.task: decision for decision in decisions}

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
        return self._decider.predict(task, parallelism, input_size, cluster_load)

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
        return self._decider.decide(task, input_size, cluster_load)

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
        default_parallelism: int | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> Iterator[Decision]:
        """Suggests, times the block, and completes; an error in the block fails the trial.

        An interruption (KeyboardInterrupt) abandons it; ``sys.exit`` fails it, or completes it
        where the status is 0. The block may close the trial itself, with a time that it knows
        better.

        Whatever the store does, the block runs, once, and what comes after it goes on. Where no
        suggestion can be had, for want of the store or of an input that can be measured, it runs
        with `default_parallelism`, and the decision has no trial. An
        outcome that the store does not take is kept in the user's state folder; the next call on
        this machine delivers it. The log says so.

        Args:
            task: The task's name.
            input_size: As in `suggest`.
            cluster_load: As in `suggest`.
            default_parallelism: The degree where no suggestion can be had; where the store
                answers all the same, the allowed degree nearest to it, or the pin. None: the task's
                own default, or 5.
            deadline_s: How long the store may take before the block, and again after it [s].
        """

        def suggest(file: JournalFile) -> Decision:
            size = self._decider.size(input_size)
            file.note(input_size=size)
            return self.suggest(
                task,
                input_size=size,
                cluster_load=cluster_load,
                run_key=file.entry.run_id,
                deadline_s=deadline_s,
            )

        default = default_parallelism
        if default is not None:
            default = validation.integer("default_parallelism", default, 1)
        run = watched(
            self.store, task, suggest, default=default, fails_open=True, closing_s=deadline_s
        )
        if run.problem is not None:
            logger.warning("%s: %s", task, run.decision.reason)
        started = time.perf_counter()
        try:
            yield run.decision
        except BaseException as err:
            if isinstance(err, SystemExit) and err.code in (None, 0):  # the block's own good end
                _log_undelivered(run.complete(max(time.perf_counter() - started, 1e-9)))
                raise
            reason = f"{type(err).__name__}: {err}".removesuffix(": ")
            failed = isinstance(err, Exception | SystemExit)
            _log_undelivered(run.fail(reason) if failed else run.abandon(reason))
            raise
        _log_undelivered(run.complete(max(time.perf_counter() - started, 1e-9)))

    def deliver(self) -> list[Trial]:
        """Tells the store what runs of this machine could not tell it; see `trial`.

        `suggest` does so too, before it decides.

        Raises:
            StoreError: The store is down; what is left stays where it is.
        """
        return deliver(self.store)


def _log_undelivered(told: Trial | Undelivered | None) -> None:
    if isinstance(told, Undelivered):
        logger.warning("%s", told)
