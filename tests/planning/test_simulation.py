"""Simulated runs, and plans judged by them."""

import measured
import numpy as np
import pytest

from arbo_bo.errors import WorkflowError
from arbo_bo.planning import Deadline, Workflow
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.predicted import predicted
from arbo_bo.planning.simulation import Simulation

LAWS = {
    "split": lambda s, parts: 5 + 200 / s,
    "work": lambda s, parts: 3 + 300 / s,
    "merge": lambda s, parts: 10 + 1.0 * parts,
}


def simulated(**given):
    wf = Workflow("w")
    for name, after in (("split", []), ("work", ["split"]), ("merge", ["work"])):
        wf.stage(name, after=after, parallelism=[1] if name == "merge" else (1, 16))
    return Simulation(wf, LAWS, **given)


def test_run_without_noise_follows_its_laws():
    run = simulated(noise=0.0).run({"split": 4, "work": 10, "merge": 1}, np.random.default_rng(0))
    assert run.times_s == pytest.approx({"split": 55.0, "work": 33.0, "merge": 20.0})
    assert run.makespan_s == pytest.approx(108.0)
    assert run.worker_seconds == pytest.approx(4 * 55 + 10 * 33 + 20)


def test_cold_starts_and_stragglers_come_as_often_as_they_should():
    odd = simulated(noise=0.0, cold_s=100.0, cold_share=0.3, straggling=0.0)
    rng = np.random.default_rng(1)
    degrees = {"split": 4, "work": 10, "merge": 1}
    times = [odd.run(degrees, rng).times_s["split"] for _ in range(400)]
    assert np.mean(np.array(times) > 100) == pytest.approx(0.3, abs=0.07)


def test_stage_without_a_law_is_named():
    with pytest.raises(WorkflowError, match="'merge'"):
        simulated().run({"split": 1, "work": 1}, np.random.default_rng(0))


def test_deadline_is_kept_in_simulated_runs_as_likely_as_the_plan_says():
    truth, rng = simulated(noise=0.08, day=0.1), np.random.default_rng(2)
    before = [
        truth.run({"split": s, "work": w, "merge": 1}, rng).rows()
        for s in (1, 4, 16)
        for w in (1, 4, 16)
        for _ in range(3)
    ]
    known = predicted(truth.workflow, measured.runs(truth.workflow, before))
    plan = make_plan(known, Deadline(150, probability=0.9))
    degrees = {s.name: s.parallelism for s in plan.stages}
    kept = np.mean([truth.run(degrees, rng).makespan_s <= 150 for _ in range(300)])
    assert plan.feasible
    assert kept == pytest.approx(plan.probability, abs=0.1)
