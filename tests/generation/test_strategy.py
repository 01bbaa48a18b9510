from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arbo_bo._format import format_probability, format_time
from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Experiment,
    MaxExecutionTime,
    Objective,
    Phase,
    SearchSpace,
    Strategy,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate, predict

LAW = AmdahlLaw(300.0, 0.93, 5.0, 0.9)
SPACE = SearchSpace.between(1, 32)
EXPERIMENT = Experiment("t", search_space=SPACE, strategy=Strategy("expected_cost"))


def completed(index, s, time, size=None, load=0.0):
    return Trial("t", index, TrialStatus.COMPLETED, Arm(s), Context(size, load), Phase.OPTIMIZE,
                 execution_time_s=time)  # fmt: skip


def history(degrees=(1, 5, 8, 12), law=LAW, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return [
        completed(i, s, law.runtime_s(s) * float(np.exp(noise * rng.standard_normal())))
        for i, s in enumerate(degrees)
    ]


def test_decision_is_near_the_laws_optimum_when_the_law_holds():
    decision = generate(EXPERIMENT, history(), Context()).decision
    best = min(SPACE.degrees, key=lambda s: Objective().score(LAW.runtime_s(s), s))
    chosen = Objective().score(LAW.runtime_s(decision.parallelism), decision.parallelism)
    assert chosen <= 1.02 * Objective().score(LAW.runtime_s(best), best)
    assert decision.phase is Phase.OPTIMIZE
    assert decision.acquisition == "expected_cost"


def test_decision_holds_every_candidate_and_its_own_prediction():
    decision = generate(EXPERIMENT, history(), Context()).decision
    assert [c.parallelism for c in decision.candidates] == list(SPACE.degrees)
    chosen = decision.candidates[decision.parallelism - 1]
    assert chosen.score == min(c.score for c in decision.candidates)
    assert chosen.prediction == decision.prediction
    score = Objective().score(chosen.prediction.mean_s, chosen.parallelism)
    assert chosen.score == pytest.approx(score)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
def test_candidates_score_is_the_objective_of_the_prediction(residual):
    experiment = replace(EXPERIMENT, residual=residual, objective=Objective(2.0, 1.0))
    for candidate in generate(experiment, history(noise=0.1), Context()).decision.candidates:
        expected = experiment.objective.score(candidate.prediction.mean_s, candidate.parallelism)
        assert candidate.score == pytest.approx(expected)


def test_only_the_newest_window_trains():
    old = history((1, 5, 8), AmdahlLaw(9000.0, 0.2))
    new = history((1, 5, 8, 12))
    narrow = replace(EXPERIMENT, window=4)
    assert (
        generate(narrow, old + new, Context()).decision == generate(narrow, new, Context()).decision
    )


@pytest.mark.parametrize("status", ["FAILED", "ABANDONED", "RUNNING"])
def test_only_completed_trials_train(status):
    trials = history()
    other = replace(completed(9, 16, 1e6), status=TrialStatus(status))
    with_other = generate(EXPERIMENT, [*trials, other], Context()).decision
    without = generate(EXPERIMENT, trials, Context()).decision
    assert with_other.law == without.law
    assert [c.prediction for c in with_other.candidates] == [
        c.prediction for c in without.candidates
    ]


def play_online(runs, window):
    """The estimator's law, and the degrees chosen, when each run is decided through `generate`."""
    experiment, trials = replace(EXPERIMENT, estimator="online", window=window), []
    chosen = []
    for index, (s, time) in enumerate(runs):
        if index >= 2:
            generated = generate(experiment, trials[-window:], Context())
            chosen.append(generated.decision.parallelism)
            learned = generated.learned
            model = replace(
                experiment.model, law=learned.law, hyperparameters=learned.hyperparameters
            )
            experiment = replace(experiment, model=model)
        trials.append(completed(index, s, time))
    return experiment.model.law, chosen


def test_original_algorithm_keeps_its_baseline_when_it_leaves_the_window():
    law = AmdahlLaw(100.0, 0.81)
    runs = [(s, law.runtime_s(s)) for s in (1, 5, *[4, 8] * 6)]
    learned, _ = play_online(runs, window=4)
    assert learned.t1_s == pytest.approx(100)
    assert learned.p == pytest.approx(0.81, abs=0.01)


def test_original_algorithm_decides_as_the_benchmarks_policy_does():
    from arbo_bo.benchmarks.policies import make_policy
    from arbo_bo.benchmarks.protocol import Setting

    rng = np.random.default_rng(2)
    runs = [
        (s, LAW.runtime_s(s) * float(np.exp(0.2 * rng.normal()))) for s in (1, 5, 9, 3, 12, 7, 2)
    ]
    policy = make_policy("online", Setting(SPACE, Objective(), 5, seed=0))
    expected = []
    for index, (s, time) in enumerate(runs):
        if index >= 2:
            expected.append(policy.ask(Context(), SPACE.degrees))
        policy.tell(Context(), s, time)
    assert play_online(runs, window=50)[1] == expected


def test_larger_input_is_predicted_slower():
    runs = enumerate([(1, 10), (5, 20), (8, 5), (4, 40), (12, 10)])
    trials = [completed(i, s, LAW.runtime_s(s, size / 10), size) for i, (s, size) in runs]
    base = replace(EXPERIMENT, model=replace(EXPERIMENT.model, base_input_size=10.0))
    small, large = (predict(base, trials, [Arm(8)], Context(size))[0].mean_s for size in (10, 30))
    assert small == pytest.approx(LAW.runtime_s(8), rel=0.1)
    assert large == pytest.approx(LAW.runtime_s(8, 3), rel=0.15)


def test_unknown_load_is_the_windows_typical_one():
    trials = [replace(t, context=Context(None, 4.0)) for t in history()]
    trials[1] = replace(trials[1], context=Context(None, None))
    (at_typical,) = predict(EXPERIMENT, trials, [Arm(8)], Context(None, 4.0))
    assert predict(EXPERIMENT, trials, [Arm(8)], Context(None, None)) == [at_typical]


def test_prediction_is_refused_when_nothing_is_completed():
    with pytest.raises(NotEnoughObservationsError, match="'t' has no completed run"):
        predict(EXPERIMENT, [], [Arm(1)], Context())


def test_hyperparameters_are_kept_when_the_window_holds_one_degree():
    first = generate(EXPERIMENT, history(noise=0.02), Context()).learned
    model = replace(EXPERIMENT.model, hyperparameters=first.hyperparameters)
    settled = replace(EXPERIMENT, model=model, window=5)
    again = generate(settled, history((8,) * 5, noise=0.02), Context())
    assert again.learned.hyperparameters == first.hyperparameters
    assert again.learned.law.p == pytest.approx(first.law.p, abs=0.02)


def test_choice_does_not_wander_off_when_the_window_is_narrow():
    rng = np.random.default_rng(3)
    experiment, trials = replace(EXPERIMENT, window=10), history((1, 5))
    chosen = []
    for index in range(2, 42):
        generated = generate(experiment, trials, Context())
        s = generated.decision.parallelism
        chosen.append(s)
        trials.append(completed(index, s, LAW.runtime_s(s) * float(np.exp(0.03 * rng.normal()))))
        learned = generated.learned
        model = replace(experiment.model, law=learned.law, hyperparameters=learned.hyperparameters)
        experiment = replace(experiment, model=model)
    scores = {s: Objective().score(LAW.runtime_s(s), s) for s in SPACE.degrees}
    assert max(scores[s] for s in chosen[10:]) <= 1.1 * min(scores.values())


@settings(max_examples=15, deadline=None)
@given(st.floats(0.3, 0.99), st.floats(0, 30), st.floats(0.6, 2), st.integers(0, 999))
def test_choice_does_not_depend_on_the_unit_of_time(p, startup, urgency, seed):
    experiment = replace(EXPERIMENT, objective=Objective(urgency))
    trials = history((1, 5, 9, 14), AmdahlLaw(300, p, startup), 0.05, seed)
    scaled = [replace(t, execution_time_s=t.execution_time_s * 3600) for t in trials]
    one, other = (generate(experiment, ts, Context()).decision for ts in (trials, scaled))
    scores = {c.parallelism: c.score for c in one.candidates}
    assert scores[other.parallelism] <= scores[one.parallelism] * 1.001


@pytest.mark.parametrize(
    "objective",
    [Objective(urgency=0.5), Objective(price_per_worker_hour=0.4)],
    ids=["0.5", "money"],
)
def test_reason_says_why_fewer_workers_always_win(objective):
    decision = generate(replace(EXPERIMENT, objective=objective), history(), Context()).decision
    assert decision.parallelism == 1
    assert "fewer workers always win" in decision.reason


def test_reason_says_what_amdahls_law_favours_when_the_runs_contradict_it():
    experiment = replace(EXPERIMENT, objective=Objective(urgency=0.5))
    superlinear = [completed(i, s, t) for i, (s, t) in enumerate([(1, 3000), (4, 80), (8, 75)] * 3)]
    decision = generate(experiment, superlinear, Context()).decision
    assert decision.parallelism == 4
    assert "fewer workers win wherever Amdahl's law holds" in decision.reason
    with_slo = replace(experiment, strategy=Strategy(slo=MaxExecutionTime(100)))
    assert "fewer workers" not in generate(with_slo, superlinear, Context()).decision.reason


def test_reason_names_degree_time_and_rival():
    reason = generate(EXPERIMENT, history(), Context()).decision.reason
    assert "workers: expected" in reason
    assert "next best is" in reason


def test_default_weighs_what_later_runs_learn():
    experiment = replace(EXPERIMENT, strategy=Strategy())
    decision = generate(experiment, history(), Context()).decision
    assert decision.acquisition == "knowledge_gradient"
    cheapest = min(decision.candidates, key=lambda c: c.score)
    chosen = decision.candidates[decision.parallelism - 1]
    assert chosen.value == max(c.value for c in decision.candidates)
    says = "next best is" if chosen is cheapest else f"than at {cheapest.parallelism}; run to learn"
    assert says in decision.reason


def test_decision_leaves_torchs_thread_count_alone():
    before = torch.get_num_threads()
    generate(EXPERIMENT, history(), Context())
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.34, "340 ms"), (4.213, "4.21 s"), (125, "2 min 05 s"), (12000, "3 h 20 min"),
     (0.9999, "1 s"), (99.99, "1 min 40 s"), (3599.9, "1 h 00 min"), (1e6, "11.6 d")],
)  # fmt: skip
def test_time_is_written_for_people(seconds, text):
    assert format_time(seconds) == text


def test_excluded_trials_do_not_train():
    wrong = replace(completed(4, 3, 9000.0), exclusion_reason="the disk was full")
    expected = generate(EXPERIMENT, history(), Context()).decision
    assert generate(EXPERIMENT, [*history(), wrong], Context()).decision == expected


def test_load_over_the_run_trains_when_it_is_known():
    known = [replace(t, mean_cluster_load=40.0) for t in history()]
    told = [replace(t, context=Context(None, 40.0)) for t in history()]
    context = Context(None, 20.0)
    assert (
        generate(EXPERIMENT, known, context).decision
        == generate(EXPERIMENT, told, context).decision
    )


@pytest.mark.parametrize(
    ("probability", "text"),
    [(6.7e-207, "below 0.001"), (0.03124, "0.0312"), (0.95, "0.95"), (1.0, "above 0.999")],
)
def test_probabilities_are_shown_as_people_read_them(probability, text):
    assert format_probability(probability) == text
