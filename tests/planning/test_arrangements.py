"""Optimizations of a plan: their conditions, and what they are worth."""

import measured
import pytest

from arbo_bo.errors import InvalidValueError, WorkflowError
from arbo_bo.planning import Deadline, Mean, WorkerType, Workflow
from arbo_bo.planning.arrangements import OPTIMIZATIONS
from arbo_bo.planning.histories import Histories
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.predicted import predicted

KIND = {"w": WorkerType(1, 4, price_per_hour=0.1, startup_s=30)}
TIMES = {"a": 60.0, "b": 100.0, "c": 20.0, "d": 20.0}


def diamond(*, bandwidth=None, startup=True, sizes=None, **marked):
    wf = Workflow("w", bandwidth=bandwidth)
    for name, after in (("a", []), ("b", ["a"]), ("c", ["a"]), ("d", ["b", "c"])):
        wf.stage(
            name,
            after=after,
            parallelism=[1],
            worker_types=KIND if startup else None,
            input_size=None if sizes is None else sizes[name],
            idempotent=True,
            annotations=marked.get(name, ()),
        )
    histories = [
        measured.history(f"w.{n}", lambda s, t=t: t, degrees=[1]) for n, t in TIMES.items()
    ]
    return predicted(wf, Histories(histories))


def test_nothing_is_arranged_where_nothing_has_a_price():
    plan = make_plan(diamond(startup=False), Mean())
    assert not any(s.annotations for s in plan.stages)


def test_critical_child_goes_on_with_its_parents_workers_and_the_other_is_warmed():
    plan = make_plan(diamond(), Mean())
    assert plan["b"].worker == "a"
    assert plan["b"].annotations == ("chance/clustering",)
    assert plan["c"].worker is None
    assert plan["d"].worker == "b"


def test_prediction_includes_what_optimizations_save():
    known = diamond()
    plain, arranged = (
        make_plan(known, Mean(), optimizations=names) for names in ((), ("clustering",))
    )
    saved = plain.makespan.mean_s - arranged.makespan.mean_s
    assert saved == pytest.approx(60, abs=1)


def test_workers_are_warmed_from_a_stage_that_ends_early_enough():
    plan = make_plan(diamond(), Mean(), optimizations=["pre-warm"])
    assert plan["d"].annotations == ("chance/pre-warm",)
    plain = make_plan(diamond(), Mean(), optimizations=())
    assert plan.makespan.mean_s < plain.makespan.mean_s - 25


def test_start_up_that_is_small_beside_its_work_is_not_warmed():
    wf = Workflow("w")
    kind = {"w": WorkerType(1, 4, startup_s=10)}
    wf.stage("a", parallelism=[1], worker_types=kind)
    wf.stage("b", after=["a"], parallelism=[1], worker_types=kind)
    known = [measured.history(f"w.{n}", lambda s: 100.0, degrees=[1]) for n in "ab"]
    plan = make_plan(predicted(wf, Histories(known)), Mean(), optimizations=["pre-warm"])
    assert plan["b"].annotations == ()


def test_inputs_of_several_parents_elsewhere_are_loaded_as_they_become_ready():
    sizes = dict.fromkeys(TIMES, 100.0)
    known = diamond(bandwidth=1.0, startup=False, sizes=sizes)
    plan = make_plan(known, Mean(), optimizations=["pre-load"])
    plain = make_plan(known, Mean(), optimizations=())
    assert plan["d"].annotations == ("chance/pre-load",)
    assert plain.makespan.mean_s - plan.makespan.mean_s == pytest.approx(50, abs=1)


def test_what_the_user_has_annotated_is_kept_and_left_alone():
    plan = make_plan(diamond(d=["pre-warm"]), Mean())
    assert plan["d"].annotations == ("user/pre-warm",)
    assert plan["d"].worker is None


def test_duplicated_stage_is_faster_and_paid_twice():
    known = diamond()
    plain, twice = (
        make_plan(known, Mean(), optimizations=names) for names in ((), ("duplication",))
    )
    assert "chance/duplication" in twice["b"].annotations
    assert twice["b"].cost > 1.8 * plain["b"].cost
    assert twice["b"].duration.mean_s < plain["b"].duration.mean_s


def test_duplication_needs_a_stage_that_may_run_twice():
    with pytest.raises(WorkflowError, match=r"'a'.*idempotent"):
        Workflow("w").stage("a", annotations=["duplication"])


def test_unknown_optimization_is_refused():
    with pytest.raises(InvalidValueError, match="pre-load"):
        make_plan(diamond(), Mean(), optimizations=["pre-cook"])


def test_names_of_annotations_are_those_of_optimizations():
    from arbo_bo.planning.workflow import ANNOTATIONS

    assert set(ANNOTATIONS) == set(OPTIMIZATIONS)


def test_wukong_arranges_and_sizes_nothing():
    plan = make_plan(diamond(), Deadline(1000), "wukong")
    assert plan["b"].worker == "a"
