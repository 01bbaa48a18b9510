"""What is learned of a stage: its parts, its size, its days, and what is not known."""

from dataclasses import replace

import measured
import numpy as np
import pytest

from arbo_bo.planning import Workflow
from arbo_bo.planning.histories import Histories
from arbo_bo.planning.predicted import predicted
from arbo_bo.planning.sizes import input_sizes


def merged(strength=0.3, noise=0.02, seed=0):
    """Runs of a workflow whose second stage merges the parts of the first."""
    wf = Workflow("w")
    wf.stage("split", parallelism=(1, 32))
    wf.stage("merge", after=["split"], parallelism=[1])
    rng = np.random.default_rng(seed)
    given = [
        {
            "split": {"parallelism": s, "execution_time_s": 5 + 300 / s},
            "merge": {
                "parallelism": 1,
                "execution_time_s": 20 * (1 + strength * (s - 1)) * np.exp(noise * z),
            },
        }
        for s in (2, 5, 10, 20)
        for z in rng.standard_normal(2)
    ]
    return wf, measured.runs(wf, given)


@pytest.mark.parametrize("parts", [3, 16, 28])
def test_merge_takes_longer_the_more_parts_its_parent_makes(parts):
    wf, histories = merged()
    known = predicted(wf, histories)
    choice = np.array([parts - 1, 0])
    expected = 20 * (1 + 0.3 * (parts - 1))
    assert known.evaluate(choice).durations[1].mean() == pytest.approx(expected, rel=0.1)


def test_parts_cost_nothing_where_they_did_not():
    wf, histories = merged(strength=0.0)
    known = predicted(wf, histories)
    times = [known.evaluate(np.array([s - 1, 0])).durations[1].mean() for s in (2, 32)]
    assert times[1] == pytest.approx(times[0], rel=0.05)


def test_stage_whose_time_does_not_depend_on_its_size_is_predicted_so():
    wf = Workflow("w")
    wf.stage("notify", parallelism=[1], input_size=1e9)
    rows = [
        {"parallelism": 1, "execution_time_s": 0.5, "input_size": size}
        for size in (1e5, 1e6, 1e7, 1e5, 1e6, 1e7)
    ]
    known = measured.history("w.notify", lambda s: 1, degrees=(), rows=rows)
    model = replace(known.experiment.model, base_input_size=1e5)
    known = replace(known, experiment=replace(known.experiment, model=model))
    time = predicted(wf, Histories([known])).times[0].time[0]
    assert np.median(time) == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("fan_in", [1, 4, 12])
def test_chain_of_half_seconds_predicts_half_a_second_at_every_fan_in(fan_in):
    wf = Workflow("w")
    for i in range(fan_in):
        wf.stage(f"a{i}", parallelism=[1], known_time_s=0.5)
    wf.stage("b", after=[f"a{i}" for i in range(fan_in)], parallelism=[1], known_time_s=0.5)
    found = predicted(wf, Histories()).evaluate(np.zeros(fan_in + 1, int))
    assert np.median(found.durations[-1]) == pytest.approx(0.5, rel=0.05)


def test_stage_without_history_is_wide_and_never_0():
    wf = Workflow("w")
    wf.stage("new", parallelism=(1, 8))
    time = predicted(wf, Histories()).times[0].time[0]
    low, high = np.quantile(time, (0.05, 0.95))
    assert low > 0
    assert high > 20 * low


def test_slow_days_are_shared_by_the_stages_of_a_run():
    wf = Workflow("w")
    wf.stage("a", parallelism=[4])
    wf.stage("b", after=["a"], parallelism=[4])
    rng = np.random.default_rng(1)
    given = []
    for _ in range(30):
        day = np.exp(0.2 * rng.standard_normal())
        row = lambda t, day=day: {"parallelism": 4, "execution_time_s": t * day}  # noqa: E731
        given.append(
            {"a": row(100 * rng.lognormal(0, 0.02)), "b": row(50 * rng.lognormal(0, 0.02))}
        )
    known = predicted(wf, measured.runs(wf, given))
    a, b = (np.log(d[0]) for d in known.evaluate(np.zeros(2, int)).durations)
    assert np.corrcoef(a, b)[0, 1] > 0.5


def test_stages_of_one_task_share_what_is_not_known_of_it():
    wf = Workflow("w")
    wf.stage("a", experiment="t", parallelism=[16])
    wf.stage("b", experiment="t", parallelism=[16])
    known = measured.history("t", lambda s: 100 / s, degrees=(1,), repeats=2)
    a, b = (np.log(t.time[0]) for t in predicted(wf, Histories([known])).times)
    assert np.corrcoef(a, b)[0, 1] > 0.8


def test_size_follows_from_the_parents_as_it_did_in_their_runs():
    wf = Workflow("w")
    wf.stage("a", parallelism=[4])
    wf.stage("b", after=["a"], parallelism=[4])
    row = {"parallelism": 4, "execution_time_s": 10.0}
    histories = measured.runs(
        wf, [{"a": {**row, "input_size": n}, "b": {**row, "input_size": n / 5}} for n in (10.0, 20)]
    )
    assert input_sizes(wf, histories, {"a": 100.0}) == {"a": 100.0, "b": 20.0}
