"""A task whose window holds one degree only: what was learned before has to last."""

import pytest
from playing import HERE, LAW, SPACE, configured, learned, noisy, play, regret, runs

from arbo_bo.experiment import AmdahlLaw
from arbo_bo.generation import generate

SCALES_BADLY = AmdahlLaw(300.0, 0.8)


def settled(law, noise, **settings):
    """The task, and a full window of runs at its best degree, after its law was learned."""
    time_of, experiment = noisy(noise, 3, law), configured(**settings)
    experiment = learned(experiment, runs([1, 2, 4, 8, 16, 32] * 4, time_of))
    best = min(SPACE.degrees, key=lambda s: regret(s, law))
    return experiment, runs([best] * experiment.window, time_of), time_of


@pytest.mark.parametrize(("law", "noise"), [(LAW, 0.03), (SCALES_BADLY, 0.1), (LAW, 0.3)])
def test_choice_does_not_wander_in_200_runs_when_the_window_holds_one_degree(law, noise):
    before, window, time_of = settled(law, noise, window=25)
    after, trials = play(before, window, 200, time_of)
    assert max(regret(t.parallelism, law) for t in trials) < 0.01
    assert after.model.hyperparameters == before.model.hyperparameters
    assert after.model.law.p == pytest.approx(before.model.law.p, abs=0.01)


def test_law_follows_the_level_when_the_window_holds_one_degree():
    before, window, _ = settled(LAW, 0.03)
    slower = runs([t.parallelism for t in window], noisy(0.03, 4, AmdahlLaw(600.0, 0.93, 10.0)))
    decision = generate(before, slower, HERE).decision
    assert decision.law.runtime_s(1) == pytest.approx(2 * LAW.runtime_s(1), rel=0.1)
    assert regret(decision.parallelism) < 0.01


def test_settled_task_is_not_explored_when_its_other_degrees_have_left_the_window():
    default, window, _ = settled(LAW, 0.1)
    greedy = default.changed({"acquisition": "expected_cost"})
    assert default.strategy.chooser == "knowledge_gradient"
    one, other = (generate(e, window, HERE).decision for e in (default, greedy))
    assert [c.value for c in one.candidates] == [c.value for c in other.candidates]
