"""Decides the degrees of a plan task. Advice fails open: a stage always gets a degree."""

import logging
import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from arbo_bo.context import input_size_of
from arbo_bo.context.deadline import within
from arbo_bo.errors import ArboError, InputSizeError, StoreError, StoreTimeoutError
from arbo_bo.experiment import validation
from arbo_bo.experiment.decision_view import decision_view
from arbo_bo.integrations.airflow.limits import RECENT_RUNS, Limit, seen_limit
from arbo_bo.integrations.airflow.naming import RUN_KEY_SEPARATOR, experiment_of, sibling_of
from arbo_bo.integrations.airflow.reaping import RanFor, RunHasEnded, reap, unknown
from arbo_bo.integrations.airflow.spec import StageSpec, parsed_size

if TYPE_CHECKING:
    from arbo_bo.service.optimizer import ArboOptimizer

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S = 4.0
"""How long the store may take to answer at all; then the default degrees are taken [s]."""
STORE_WITHIN_S = 3.5
"""How long the store itself goes on trying: it ends first, and knows what was wrong [s]."""
_NAMESPACE = uuid.UUID("5b8c0d0e-7f6d-5d3b-9f0a-6c1f4f1e2a77")


@dataclass(frozen=True)
class Request:
    """One stage to decide.

    Attributes:
        spec: What the DAG's author asked for.
        raw_size: Returns the input size as it comes out of a template or a callable; None: not
            given.
        limit: The most workers that can run side by side.
        idempotency_key: The same for the same try of the plan task, and only for that.
        run_key: The same for every try and clear of the stage in one DAG run.
        dag_id: The DAG.
    """

    spec: StageSpec
    raw_size: Callable[[], Any]
    limit: Limit
    idempotency_key: str
    run_key: str
    dag_id: str = ""

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.spec.experiment_in(self.dag_id)


@dataclass(frozen=True)
class Advice:
    """What was decided for one stage, as it stands in the plan task's XCom.

    Attributes:
        stage: The stage's name.
        experiment: The experiment that the trial belongs to.
        parallelism: The degree.
        reason: Why, as one sentence.
        trial_index: The trial that is RUNNING; None: there is none, the default was taken.
        trial_id: Its identity.
        phase: baseline, probe or optimize; "default" without a trial.
        input_size: The input's size, where known.
        cluster_load: Workers of other runs at the decision.
        predicted_time_s: The expected time [s].
        limit: What cut the allowed degrees.
        decided_at: When [s since the epoch].
        candidates: Every degree that was weighed, with its prediction and score.
    """

    stage: str
    experiment: str
    parallelism: int
    reason: str
    trial_index: int | None = None
    phase: str = "default"
    input_size: float | None = None
    cluster_load: float | None = None
    predicted_time_s: float | None = None
    limit: str = ""
    decided_at: float = 0.0
    candidates: tuple[dict[str, Any], ...] = ()
    trial_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The advice as JSON values; what is no finite number is none, as a database wants it."""
        rows = [{key: _finite(value) for key, value in row.items()} for row in self.candidates]
        whole = {key: _finite(value) for key, value in asdict(self).items()}
        return whole | {"candidates": rows}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def keys(dag_id: str, run_id: str, stage: str, try_id: object) -> tuple[str, str]:
    """Returns the idempotency key and the run key of a stage in a DAG run.

    Args:
        dag_id: The DAG.
        run_id: Its run.
        stage: The stage's name.
        try_id: The plan's task instance id, which is new for each try and each clear.
    """
    run_key = RUN_KEY_SEPARATOR.join((dag_id, run_id, stage))
    idempotency_key = str(uuid.uuid5(_NAMESPACE, f"{run_key}{RUN_KEY_SEPARATOR}{try_id}"))
    if len(run_key) > validation.MAX_NAME_LENGTH:
        run_key = str(uuid.uuid5(_NAMESPACE, run_key))
    return idempotency_key, run_key


def advise(
    open_arbo: Callable[[], "ArboOptimizer"],
    requests: Sequence[Request],
    run_has_ended: RunHasEnded,
    ran_for: RanFor = unknown,
) -> list[Advice]:
    """Returns one advice for each request; never raises for want of advice.

    Args:
        open_arbo: Opens the store.
        requests: The stages, in the order in which they are decided: each sees the ones before it
            as load.
        run_has_ended: Whether a DAG run (its DAG's id, its id) is over; see `reap`.
        ran_for: How long a stage of such a run ran; see `reap`.
    """
    try:
        arbo, requests, refused = _configured(open_arbo, requests)
    except Exception as err:
        return defaults(requests, err)
    advices = []
    with arbo.store.within(ANSWER_WITHIN_S):  # for all stages, should the database go away now
        _tidied(arbo, requests, run_has_ended, ran_for)
        for request in requests:
            try:
                if request.spec.name in refused:
                    raise refused[request.spec.name]
                advices.append(_decided(arbo, request))
            except Exception as err:  # whatever went wrong, the author's stage runs
                advices.append(_default(request, err))
    return advices


def defaults(requests: Sequence[Request], err: Exception) -> list[Advice]:
    """Returns the default degrees, with the error for a reason; nothing is asked of the store."""
    return [_default(request, err) for request in requests]


def _configured(
    open_arbo: Callable[[], "ArboOptimizer"], requests: Sequence[Request]
) -> tuple["ArboOptimizer", list[Request], dict[str, ArboError]]:
    """Opens the store and configures the experiments.

    Returns:
        The store, the requests with the names of their experiments, and which stages were refused.
    """
    # Outside of the limits: how fast a busy machine loads them says nothing of the database.
    import arbo_bo.service.optimizer
    import arbo_bo.storage  # noqa: F401

    def configure() -> tuple["ArboOptimizer", list[Request], dict[str, ArboError]]:
        arbo, named, refused = open_arbo(), list[Request](), {}
        with arbo.store.within(STORE_WITHIN_S):
            for request in requests:
                named.append(_named(arbo, request))
                try:
                    _configure(arbo, named[-1])
                except StoreError:
                    raise
                except ArboError as err:  # one stage's, beside what was configured before
                    refused[request.spec.name] = err
        return arbo, named, refused

    try:
        # A driver's own time limits don't cover a name that does not resolve, nor many addresses.
        return within(ANSWER_WITHIN_S, configure)
    except TimeoutError as err:
        if isinstance(err.__cause__, ArboError):  # the store's own limit, and it says what is wrong
            raise err.__cause__ from None
        raise StoreTimeoutError(
            f"arbo's database did not answer within {ANSWER_WITHIN_S:g} s; check that the host of "
            "its connection can be reached from where tasks run"
        ) from err


def _named(arbo: "ArboOptimizer", request: Request) -> Request:
    spec = request.spec
    name = experiment_of(arbo, spec, request.dag_id, request.run_key)
    return replace(request, spec=replace(spec, experiment=name))


def _configure(arbo: "ArboOptimizer", request: Request) -> None:
    spec, settings = request.spec, dict(request.spec.settings)
    if settings.get("like"):
        settings["like"] = sibling_of(arbo, settings["like"], request.dag_id)
    caller = f"stage {spec.name} of DAG {request.dag_id}"
    arbo.configure_experiment(request.experiment, caller=caller, **settings)


def _tidied(
    arbo: "ArboOptimizer",
    requests: Sequence[Request],
    run_has_ended: RunHasEnded,
    ran_for: RanFor,
) -> None:
    experiments = [request.experiment for request in requests]
    run_keys = [request.run_key for request in requests]
    try:
        reap(arbo, experiments, run_keys, run_has_ended, ran_for)
    except Exception as err:  # tidying up must not cost this run its advice
        logger.warning("trials of earlier DAG runs were not looked at: %s", err)


def _decided(arbo: "ArboOptimizer", request: Request) -> Advice:
    spec, limit = request.spec, _limit(arbo, request)
    size = _size(request)
    decision = arbo.suggest(
        request.experiment,
        input_size=size,
        max_parallelism=limit.parallelism,
        idempotency_key=request.idempotency_key,
        run_key=request.run_key,
    )
    return Advice(
        stage=spec.name,
        experiment=request.experiment,
        parallelism=decision.parallelism,
        reason=decision.reason,
        trial_index=decision.trial_index,
        trial_id=decision.trial_id,
        phase=str(decision.phase),
        input_size=size,
        cluster_load=decision.cluster_load,
        predicted_time_s=decision.predicted_time_s,
        limit=str(limit),
        decided_at=time.time(),
        candidates=tuple(decision_view(decision)["candidates"]),
    )


def _limit(arbo: "ArboOptimizer", request: Request) -> Limit:
    """The limit that is known, or what ran side by side lately where that is less."""
    seen = seen_limit(arbo.store.latest(request.experiment, RECENT_RUNS))
    if seen.parallelism is None:
        return request.limit
    smallest = arbo.experiment(request.experiment).search_space.smallest
    return min((Limit(max(seen.parallelism, smallest), seen.source), request.limit), key=Limit.key)


def _size(request: Request) -> float | None:
    try:
        raw_size = request.raw_size()
    except Exception as err:
        # Where in a template or a callable it happened is told here, what happened in the reason.
        logger.error("input_size of stage %s failed", request.spec.name, exc_info=err)
        raise InputSizeError(f"input_size failed with {type(err).__name__}: {err}") from err
    return None if raw_size is None else input_size_of(parsed_size(raw_size))


def _default(request: Request, err: Exception) -> Advice:
    spec = request.spec
    degree = spec.default_within(request.limit.parallelism)
    problem = str(err) if isinstance(err, ArboError) else f"{type(err).__name__}: {err}"
    # An unexpected error keeps its traceback; one that arbo words itself says it all.
    logger.error(
        "stage %s takes its default degree %d: %s",
        spec.name,
        degree,
        problem,
        exc_info=None if isinstance(err, ArboError) else err,
    )
    return Advice(
        stage=spec.name,
        experiment=request.experiment,
        parallelism=degree,
        reason=f"{degree}: the default degree, because no advice could be had: {problem}",
        limit=str(request.limit),
        decided_at=time.time(),
    )
