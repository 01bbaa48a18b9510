"""The two tasks around a mapped stage: one decides its degree, one records what it took."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, XComArg, conf
from airflow.sdk.exceptions import (
    AirflowNotFoundException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

from arbo_bo.errors import InvalidValueError, StoreURLError
from arbo_bo.experiment import TimeMeasure
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.integrations.airflow import connection, markers
from arbo_bo.integrations.airflow.limits import Limit, limits_of, tightest, time_limits_of
from arbo_bo.integrations.airflow.own import OwnTask, OwnTeardown
from arbo_bo.integrations.airflow.runs import ADVICE, left_behind, ran_for
from arbo_bo.integrations.airflow.spec import StageSpec, workers

# What only a running task needs is imported there: each task start parses the DAG again.
if TYPE_CHECKING:
    from arbo_bo.integrations.airflow.plan import Advice, Request
    from arbo_bo.service.optimizer import ArboOptimizer

LABELS, PARALLELISM = "labels", "parallelism"
"""Keys of what the plan task leaves in XCom beside the list that is mapped over."""


class PlanOperator(OwnTask):
    """Decides the degrees of its stages, and returns one list with what every worker gets.

    Args:
        stages: The stages, in the order in which they are decided.
        templates: What a worker of each stage gets, by the stage's name; see `spec.workers`.
        input_sizes: The size of each stage's input: a number, a template, another task's output,
            or a callable of the context.
        conn_id: The Airflow connection to arbo's database.
        namespace: The namespace in it.
        kwargs: As of every operator.
    """

    template_fields: Sequence[str] = ("templates",)
    ui_color = "#d7e8d4"

    def __init__(
        self,
        *,
        stages: Sequence[StageSpec],
        templates: Mapping[str, Any],
        input_sizes: Mapping[str, Any],
        conn_id: str = connection.DEFAULT_CONNECTION,
        namespace: str = DEFAULT_NAMESPACE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stages = tuple(stages)
        self.templates = dict(templates)
        self.input_sizes = dict(input_sizes)
        self.conn_id = conn_id
        self.namespace = namespace
        self.observed: tuple[str, ...] | None = None
        self.recorded_by: str | None = None
        # Rendered in `execute`, not as a template field: a size that can't be had must not stop
        # the stage.
        XComArg.apply_upstream_relationship(self, self.input_sizes)

    def parallelism_key(self, stage: str) -> str:
        """The XCom key of a stage's degree."""
        return PARALLELISM if len(self.stages) == 1 else f"{PARALLELISM}_{stage}"

    def resolve_template_files(self) -> None:
        """Checks, when Airflow loads the DAG, that the stages can run and will be recorded.

        Raises:
            InvalidValueError: `observe` was not called, no allowed degree can run, or the names of
                DAG and stage are too long for an experiment's.
        """
        if self.observed is None:
            names = ", ".join(repr(stage.name) for stage in self.stages)
            raise InvalidValueError(
                f"stage {names} is planned and never observed, so nothing would be learned; "
                "add stage.observe(work) after the mapped task"
            )
        for stage in self.stages:
            stage.require_name(self.dag.dag_id)
            stage.require_room(self.limit_of(stage))
        super().resolve_template_files()

    def execute(self, context: Any) -> list[Any]:
        """Decides; Airflow calls it."""
        advices = self._advices(context)
        several = len(advices) > 1
        for advice in advices:
            key, ti = self.parallelism_key(advice.stage), context["ti"]
            ti.xcom_push(key=key, value=advice.parallelism)
        try:
            self._tell(context["ti"], advices)
        except Exception:  # the stage runs, though nothing will be learned of this run
            self.log.exception("the advice cannot be left for the record task")
        return [
            work
            for advice in advices
            for work in workers(
                self.templates[advice.stage],
                advice.parallelism,
                advice.stage if several else None,
            )
        ]

    def _advices(self, context: Any) -> "list[Advice]":
        """One advice for each stage, whatever happens."""
        from arbo_bo.integrations.airflow.plan import advise, defaults

        ti = context["ti"]
        requests = [self.request(context, stage) for stage in self.stages]
        if ti.try_number > max(1, ti.max_tries) and markers.was_retried(ti):
            # No more tries after this one, and those before were killed.
            return defaults(requests, RuntimeError("the tries before did not come to an end"))
        try:
            return advise(
                lambda: open_arbo(self.conn_id, self.namespace),
                requests,
                lambda dag_id, run_id: left_behind(ti, dag_id, run_id),
                lambda trial: ran_for(ti, trial),
            )
        except AirflowTaskTimeout as err:  # no Exception: it passes all that fails open inside
            return defaults(requests, TimeoutError(f"execution_timeout is over: {err}"))

    def _tell(self, ti: Any, advices: "Sequence[Advice]") -> None:
        """Leaves the advices for people and for the record task."""
        from arbo_bo.integrations.airflow.report import label, table

        several = len(advices) > 1
        ti.xcom_push(key=ADVICE, value=self._told(advices))
        labels = [label(a, i, several) for a in advices for i in range(a.parallelism)]
        ti.xcom_push(key=LABELS, value=labels)
        for advice in advices:
            self.log.info("%s", table(advice))

    def _told(self, advices: "Sequence[Advice]") -> list[dict[str, Any]]:
        """The advices, and which instances of which tasks they are about."""
        told, first = [], 0
        for advice in advices:
            whose = {"observed": self.observed, "recorded_by": self.recorded_by}
            told.append(advice.as_json() | whose | {"first_index": first})
            first += advice.parallelism
        return told

    def limit_of(self, stage: StageSpec) -> Limit:
        """The most workers of a stage that Airflow runs side by side, as far as a DAG tells."""
        dag = self.dag
        shared = {
            "max_map_length": conf.getint("core", "max_map_length"),
            "max_active_tasks of the DAG": dag.max_active_tasks,
        }
        # Read now: a cluster policy may have changed the work after it was observed.
        work = [dag.get_task(task_id) for task_id in self.observed or ()]
        own = {"max_parallelism of the stage": stage.max_parallelism}
        return tightest(shared | limits_of(work), own, len(self.stages))

    def request(self, context: Any, stage: StageSpec) -> "Request":
        """What is asked of arbo for one of the stages, in the run of this context."""
        from arbo_bo.integrations.airflow.plan import Request, keys

        ti = context["ti"]
        idempotency_key, run_key = keys(ti.dag_id, ti.run_id, stage.name, ti.id)
        return Request(
            spec=stage,
            raw_size=lambda: self._size(stage, context),
            limit=self.limit_of(stage),
            idempotency_key=idempotency_key,
            run_key=run_key,
            dag_id=ti.dag_id,
        )

    def _size(self, stage: StageSpec, context: Any) -> Any:
        size = self.input_sizes.get(stage.name)
        return size(context) if callable(size) else self.render_template(size, context)


class RecordOperator(OwnTeardown):
    """Records what the plan's stages took. A teardown: the run's own outcome stays as it is.

    Args:
        plan_task_id: The `PlanOperator`'s id.
        observed: Ids of the mapped tasks that do the work.
        waited_for: Whether the next run waits until this task has not failed.
        time_measure: "makespan" or "slowest"; see `StageEvidence.judge`.
        conn_id: The Airflow connection to arbo's database.
        namespace: The namespace in it.
        kwargs: As of every operator.
    """

    ui_color = "#d7e8d4"

    def __init__(
        self,
        *,
        plan_task_id: str,
        observed: Sequence[str],
        time_measure: TimeMeasure,
        waited_for: bool = False,
        conn_id: str = connection.DEFAULT_CONNECTION,
        namespace: str = DEFAULT_NAMESPACE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.plan_task_id = plan_task_id
        self.observed = tuple(observed)
        self.waited_for = waited_for
        self.time_measure = time_measure
        self.conn_id = conn_id
        self.namespace = namespace

    def resolve_template_files(self) -> None:
        """Checks, when Airflow loads the DAG, that nothing runs because this task did.

        Raises:
            InvalidValueError: A task comes after it: that one would run after a failed stage too.
        """
        after = [task for task in self.downstream_list if not task.is_teardown]
        if after:
            names = ", ".join(sorted(task.task_id for task in after))
            work = ", ".join(self.observed)
            raise InvalidValueError(
                f"{names} comes after {self.task_id}, which runs whether the stage failed or not, "
                f"so it would run after a failure too; let it follow the work itself: write "
                f"{work} >> {names}, and stage.observe(...) on a line of its own"
            )
        super().resolve_template_files()

    def execute(self, context: Any) -> list[str]:
        """Records; Airflow calls it. What was done is the task's XCom.

        Raises:
            StoreError: The store failed; another try records all that is not recorded yet.
            AirflowSkipException: So did the last try, and a failed task would hold up the next run.
        """
        ti = context["ti"]
        try:
            return self._record(ti)
        except Exception as err:
            if not self.waited_for or ti.try_number <= ti.max_tries:
                raise
            self.log.exception("the outcome of %s is not recorded", self.plan_task_id)
            raise AirflowSkipException(f"the outcome is not recorded: {err}") from err

    def _record(self, ti: Any) -> list[str]:
        from arbo_bo.integrations.airflow.evidence import StageEvidence
        from arbo_bo.integrations.airflow.record import record

        advices = ti.xcom_pull(task_ids=self.plan_task_id, key=ADVICE)
        if not any(advice["trial_index"] is not None for advice in advices or ()):
            self.log.warning("nothing to record: %s took no advice", self.plan_task_id)
            return []
        # Read before the store is opened: what is recorded does not depend on when it answers.
        rows = list(ti.get_task_breadcrumbs(ti.dag_id, ti.run_id))
        begins, ends = (self._markers(ti, key) for key in (markers.BEGIN, markers.END))
        limits_s = time_limits_of(map(self.dag.get_task, self.observed))
        planned, done = sum(advice["parallelism"] for advice in advices), []
        with open_arbo(self.conn_id, self.namespace) as arbo:
            first = 0
            for advice in advices:
                indices = range(first, first := first + advice["parallelism"])
                if advice["trial_index"] is None:
                    continue
                evidence = StageEvidence(
                    self.observed,
                    indices,
                    rows,
                    begins,
                    ends,
                    advice["decided_at"],
                    planned,
                    limits_s,
                )
                verdict = evidence.judge(self.time_measure)
                trial = advice.get("trial_id") or advice["trial_index"]
                done.append(record(arbo, advice["experiment"], trial, verdict))
                self.log.info("%s: %s", advice["stage"], done[-1])
        return done

    def _markers(self, ti: Any, key: str) -> list[dict[str, Any]]:
        # A list of ids gives a list, where one id gives a scalar if there is one value.
        found = ti.xcom_pull(task_ids=list(self.observed), key=key)
        return [marker for marker in found if marker is not None]


def open_arbo(conn_id: str, namespace: str) -> "ArboOptimizer":
    """Opens arbo's database as a task sees it.

    Args:
        conn_id: The Airflow connection; where there is none, ``$ARBO_DATABASE_URL`` is taken.
        namespace: The namespace in it.

    Raises:
        StoreURLError: There is neither, or it is none that arbo can use.
    """
    from arbo_bo.service.optimizer import ArboOptimizer

    return ArboOptimizer(_url(conn_id), namespace)


def _url(conn_id: str) -> str:
    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        url = connection.url_from_environment()
        if url is None:
            raise StoreURLError(
                f"there is no Airflow connection {conn_id!r}, and "
                f"{connection.ENVIRONMENT_VARIABLE} is not set; create the connection with type "
                "postgres, or set the variable where tasks run"
            ) from None
        return url
    return connection.url_of(found)
