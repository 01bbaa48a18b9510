"""A task that chooses its workers' type with their number."""

import math
from dataclasses import replace

import pytest

from arbo_bo import ArboOptimizer, MaxCost, MaxExecutionTime, Objective, WorkerType
from arbo_bo.errors import (
    AcquisitionError,
    DegreeNotAllowedError,
    InvalidValueError,
    UnknownWorkerTypeError,
)
from arbo_bo.experiment import Phase

SMALL = WorkerType(cpus=2, memory_gb=4, price_per_hour=0.1)
LARGE = WorkerType(cpus=8, memory_gb=32, price_per_hour=0.4)
FAT = WorkerType(cpus=8, memory_gb=64, price_per_hour=0.5, parallelism=(2, 6))
TYPES = {"small": SMALL, "large": LARGE, "fat": FAT}


def time_s(decision, cliff_gb=0.0):
    one = TYPES[decision.worker_type]
    time = 10 + 4000 * (0.05 + 0.95 / (decision.parallelism * one.cpus))
    return time * (4 if decision.parallelism * one.memory_gb < cliff_gb else 1)


def cost(arm, cliff_gb=0.0):
    return time_s(arm, cliff_gb) * arm.parallelism * TYPES[arm.worker_type].price_per_hour


def play(arbo, runs, **truth):
    for _ in range(runs):
        decision = arbo.suggest("t")
        arbo.complete_trial("t", decision, execution_time_s=time_s(decision, **truth))
    return arbo.suggest("t")


@pytest.fixture
def typed(store_url):
    with ArboOptimizer(store_url) as arbo:
        arbo.configure_experiment("t", parallelism=(1, 12), worker_types=TYPES)
        yield arbo


def test_every_pair_of_type_and_degree_is_a_candidate(typed):
    found = {(c.worker_type, c.parallelism) for c in play(typed, 3).candidates}
    expected = {(n, s) for n in ("small", "large") for s in range(1, 13)}
    assert found == expected | {("fat", s) for s in range(2, 7)}


def test_opening_runs_are_on_two_types(typed):
    first, second = typed.suggest("t"), typed.suggest("t")
    assert (first.worker_type, first.parallelism, first.phase) == ("small", 1, Phase.BASELINE)
    assert (second.worker_type, second.parallelism) == ("fat", 5)


@pytest.mark.parametrize(("cliff_gb", "within"), [(0.0, 1.05), (40.0, 1.3)])
def test_cheap_arm_is_found_within_a_dozen_runs(typed, cliff_gb, within):
    settled = play(typed, 12, cliff_gb=cliff_gb)
    best = min(cost(c, cliff_gb) for c in settled.candidates)
    assert cost(settled, cliff_gb) <= within * best


def test_type_that_was_never_run_is_wider_than_one_that_was(typed):
    for s in (1, 3, 6, 9):
        for name in ("small", "fat") if s in (3, 6) else ("small",):
            run = replace(typed.suggest("t"), parallelism=s, worker_type=name)
            typed.attach_trial("t", parallelism=s, worker_type=name, execution_time_s=time_s(run))
    at_4 = {p.worker_type: p.std_s / p.mean_s for p in typed.predict("t", parallelism=4)}
    assert at_4["large"] > 1.3 * at_4["small"]
    assert at_4["large"] > 1.3 * at_4["fat"]


def test_score_is_money_where_types_have_prices(typed):
    decision = play(typed, 4)
    for c, row in zip(decision.candidates, decision.explain().rows, strict=True):
        price = TYPES[c.worker_type].price_per_hour
        money = c.prediction.mean_s * c.parallelism * price / 3600
        assert row.cost == pytest.approx(money)
        assert math.exp(c.log_score) == pytest.approx(money)
    assert decision.explain().cost_unit == "money"


def test_budget_is_in_the_money_of_the_types(typed):
    typed.configure_experiment("t", slo=MaxCost(0.1))
    decision = play(typed, 8)
    chosen = next(c for c in decision.candidates if c.arm == decision.arm)
    assert cost(decision) / 3600 <= 0.1
    assert chosen.keeps_slo


def test_deadline_is_kept_by_the_cheapest_arm_that_can(typed):
    typed.configure_experiment("t", slo=MaxExecutionTime(320.0, 0.9))
    decision = play(typed, 14)
    kept = [cost(c) for c in decision.candidates if time_s(c) <= 310]
    assert time_s(decision) <= 320
    assert cost(decision) <= 1.15 * min(kept)


def test_worker_without_a_price_counts_as_its_cpus(tmp_path):
    with ArboOptimizer(f"sqlite:///{tmp_path}/arbo.db") as arbo:
        free = {n: replace(t, price_per_hour=None) for n, t in TYPES.items()}
        arbo.configure_experiment("t", worker_types=free)
        decision = play(arbo, 3)
    for c in decision.candidates:
        paid = (c.parallelism * TYPES[c.worker_type].cpus) ** 0.5
        assert math.exp(c.log_score) == pytest.approx(c.prediction.mean_s * paid)


def test_types_and_their_trials_are_the_same_when_read_again(typed, store_url):
    decision = play(typed, 2)
    with ArboOptimizer(store_url) as again:
        assert again.experiment("t") == typed.experiment("t")
        assert dict(again.experiment("t").worker_types) == TYPES
        assert again.trials("t")[-1].arm == decision.arm


def test_repeated_request_is_answered_with_its_type(typed):
    first = typed.suggest("t", idempotency_key="night 1")
    assert typed.suggest("t", idempotency_key="night 1").arm == first.arm
    third = play(typed, 2)
    stored = typed.trials("t")[-1]
    assert stored.worker_type == third.worker_type


def test_trial_of_a_removed_type_is_kept_and_trains_again_once_it_is_back(typed):
    play(typed, 3)
    running = typed.suggest("t")
    typed.configure_experiment("t", worker_types={"other": LARGE})
    completed = typed.complete_trial("t", running, execution_time_s=time_s(running))
    assert completed.worker_type == running.worker_type
    assert len(typed.trials("t")) == 5
    assert typed.suggest("t").worker_type == "other"
    typed.configure_experiment("t", worker_types=TYPES)
    assert typed.suggest("t").phase is Phase.OPTIMIZE


def test_runs_without_a_type_stay_when_types_come_and_go(tmp_path):
    with ArboOptimizer(f"sqlite:///{tmp_path}/arbo.db") as arbo:
        for s in (1, 4, 8):
            arbo.attach_trial("t", parallelism=s, execution_time_s=100 / s)
        arbo.configure_experiment("t", worker_types=TYPES)
        assert arbo.suggest("t").phase is Phase.BASELINE
        arbo.configure_experiment("t", worker_types=None)
        decision = arbo.suggest("t")
        assert (decision.worker_type, decision.phase) == (None, Phase.OPTIMIZE)


def test_pin_is_on_the_first_type_that_allows_it(typed):
    typed.configure_experiment("t", pin=6)
    assert (typed.suggest("t").worker_type, typed.suggest("t").parallelism) == ("small", 6)


def test_fewer_workers_leave_out_what_needs_more(typed):
    play(typed, 3)
    decision = typed.suggest("t", max_parallelism=1)
    assert {c.worker_type for c in decision.candidates} == {"small", "large"}
    assert {c.parallelism for c in decision.candidates} == {1}


def test_settings_are_refused_when_no_type_allows_them(typed):
    own = {"fat": FAT}
    with pytest.raises(DegreeNotAllowedError, match=r"no worker type allows 1 of"):
        typed.configure_experiment("t", parallelism=(1, 8), worker_types=own)
    with pytest.raises(DegreeNotAllowedError, match="9"):
        typed.configure_experiment("t", pin=9, worker_types=own)


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": Objective(price_per_worker_hour=1.0)},
        {"slo": MaxCost(1.0, 0.5)},
        {"estimator": "online"},
        {"worker_types": [("a", SMALL), ("a", LARGE)]},
        {"worker_types": {"a": SMALL, "b": WorkerType(cpus=1, memory_gb=1)}},
        {"worker_types": None, "slo": MaxCost(1.0)},
    ],
)
def test_settings_that_contradict_the_types_are_refused_and_change_nothing(typed, settings):
    before = typed.experiment("t")
    with pytest.raises(InvalidValueError):
        typed.configure_experiment("t", **settings)
    assert typed.experiment("t") == before


@pytest.mark.parametrize("name", [None, "m5.large"])
def test_history_is_refused_when_its_type_is_not_known(typed, name):
    with pytest.raises(UnknownWorkerTypeError, match="there are small, large, fat"):
        typed.attach_trial("t", parallelism=2, execution_time_s=9.0, worker_type=name)


def test_acquisition_of_another_package_is_refused(typed, monkeypatch):
    from arbo_bo.generation import choice

    play(typed, 3)
    monkeypatch.setattr(choice, "CHOOSERS", {})
    with pytest.raises(AcquisitionError, match="cannot choose among worker types"):
        typed.suggest("t")


def test_failing_type_is_left_for_another(typed):
    play(typed, 3)
    for _ in range(4):
        decision = typed.suggest("t")
        if decision.parallelism * TYPES[decision.worker_type].memory_gb < 100:
            typed.mark_trial_failed("t", decision, reason="out of memory")
        else:
            typed.complete_trial("t", decision, execution_time_s=time_s(decision))
    for c in typed.suggest("t").candidates:
        assert c.success_probability is not None
