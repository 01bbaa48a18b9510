import math
from dataclasses import replace

import pytest

from arbo_bo import MaxCost, MaxExecutionTime
from arbo_bo.errors import DegreeNotAllowedError, InvalidValueError
from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Decision,
    Experiment,
    Objective,
    Phase,
    Prediction,
    SearchRule,
    SearchSpace,
    Strategy,
)
from arbo_bo.experiment.slo import cost_objective, service_levels

DEADLINE = MaxExecutionTime(600, confidence=0.9)
BUDGET = MaxCost(1.20, price_per_worker_hour=0.40, confidence=0.8)
BAD = [0, -1, math.nan, math.inf, "ten", None, True]


@pytest.mark.parametrize("value", BAD)
def test_deadline_is_refused_when_it_is_no_positive_time(value):
    with pytest.raises(InvalidValueError, match="a deadline must"):
        MaxExecutionTime(value)


@pytest.mark.parametrize("value", BAD)
def test_budget_is_refused_when_it_is_no_positive_sum(value):
    with pytest.raises(InvalidValueError, match="a budget must"):
        MaxCost(value, price_per_worker_hour=1)


@pytest.mark.parametrize("value", [value for value in BAD if value is not None])
def test_price_is_refused_when_it_is_not_positive(value):
    with pytest.raises(InvalidValueError, match="price_per_worker_hour must"):
        MaxCost(1, price_per_worker_hour=value)


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, math.nan, "0.9", None])
@pytest.mark.parametrize("make", [lambda c: MaxExecutionTime(1, c), lambda c: MaxCost(1, 1, c)])
def test_confidence_is_refused_when_it_is_outside_zero_to_one(make, value):
    with pytest.raises(InvalidValueError, match="confidence must"):
        make(value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("guard", 1), ("guard", -0.2), ("guard", math.nan), ("pin", -2), ("pin", 1.5), ("eta", 1),
     ("dry_run", 1), ("search", "nearby"), ("acquisition", ""), ("like", "a\n"), ("slo", 600),
     ("slo", "10m"), ("slo", [600]), ("slo", (DEADLINE, DEADLINE))],
)  # fmt: skip
def test_strategy_is_refused_when_a_value_is_outside_its_domain(field, value):
    with pytest.raises(InvalidValueError):
        Strategy(**{field: value})


def test_limit_is_the_time_that_the_budget_buys():
    assert BUDGET.limit_s(6) == pytest.approx(1800)  # 1.20 / 0.40 worker-hours among 6 workers
    assert DEADLINE.limit_s(6) == 600


@pytest.mark.parametrize("given", [[BUDGET, DEADLINE], (DEADLINE, BUDGET), {DEADLINE, BUDGET}])
def test_deadline_comes_first_when_both_are_given(given):
    assert service_levels(given) == (DEADLINE, BUDGET)


@pytest.mark.parametrize(
    ("slo", "chooser"),
    [((), "knowledge_gradient"), (DEADLINE, "knowledge_gradient"), (BUDGET, "budget"),
     ((BUDGET, DEADLINE), "knowledge_gradient")],
)  # fmt: skip
def test_auto_is_what_suits_the_service_levels(slo, chooser):
    assert Strategy(slo=slo).chooser == chooser
    assert Strategy("lcb", slo=slo).chooser == "lcb"


@pytest.mark.parametrize(
    ("name", "slo"), [("deadline", BUDGET), ("budget", DEADLINE), ("constrained_improvement", ())]
)
def test_acquisition_is_refused_when_its_service_level_is_missing(name, slo):
    with pytest.raises(InvalidValueError, match=f"acquisition '{name}' needs a Max"):
        Strategy(name, slo=slo)


def test_what_is_left_out_stays_and_what_is_none_goes():
    before = Strategy("deadline", (DEADLINE,), pin=4, guard=0.8, like="a", dry_run=True)
    assert before.changed({"eta": 0.95}) == replace(before, eta=0.95)
    after = before.changed({"slo": (), "pin": None, "guard": None, "like": None, "dry_run": None})
    assert after == Strategy()


def test_pin_is_refused_when_it_is_no_allowed_degree():
    experiment = Experiment("t", search_space=SearchSpace.of([1, 2, 4]))
    assert experiment.changed({"pin": 4}).fixed_parallelism == 4
    with pytest.raises(DegreeNotAllowedError, match="parallelism 3 is not allowed"):
        experiment.changed({"pin": 3})


@pytest.mark.parametrize(
    "settings", [{"slo": DEADLINE}, {"acquisition": "lcb"}, {"guard": 0.8}], ids=str
)
@pytest.mark.parametrize("estimator", ["online", "original"])
def test_original_algorithm_refuses_what_it_cannot_do(settings, estimator):
    with pytest.raises(InvalidValueError, match="lowest expected cost alone"):
        Experiment("t", estimator=estimator).changed(settings)


def test_task_cannot_be_like_itself():
    with pytest.raises(InvalidValueError, match="like itself"):
        Experiment("t").changed({"like": "t"})


@pytest.mark.parametrize(
    "strategy",
    [Strategy(), Strategy(slo=(DEADLINE, BUDGET), search="around", eta=0.95),
     Strategy("thompson", pin=3, dry_run=True, guard=0.8, like="other")],
)  # fmt: skip
def test_strategy_survives_json(strategy):
    assert Strategy.from_json(strategy.to_json()) == strategy
    assert Strategy.from_json({}) == Strategy()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("all", range(1, 33)), ("up_to_1.2", range(1, 12)), ("up_to_1.5", range(1, 14)),
     ("around", range(5, 14)), ("efficiency", range(1, 33))],
)  # fmt: skip
def test_rule_looks_around_the_laws_optimum(rule, expected):
    law, allowed = AmdahlLaw(100, 0.9), range(1, 33)  # s* = B / A = 9
    found = SearchRule(rule).degrees(SearchRule(rule).bounds(law, Objective(), 1, 0.9), allowed)
    assert found == tuple(s for s in expected if not (rule == "up_to_1.2" and s > 10.8))


def test_efficiency_rule_ends_where_the_speed_up_is_reached():
    bounds = SearchRule.EFFICIENCY.bounds(AmdahlLaw(100, 0.5), Objective(), 1, 0.9)
    assert bounds == (1, pytest.approx(9))


@pytest.mark.parametrize(
    ("allowed", "found"), [([4, 8, 16], (4,)), ([1, 2], (2,)), ([6, 24], (6,))]
)
def test_rule_leaves_the_nearest_allowed_degree_when_none_is_within(allowed, found):
    bounds = {(4, 8, 16): (1, 1.2), (1, 2): (5, 9), (6, 24): (10, 12)}[tuple(allowed)]
    assert SearchRule.AROUND.degrees(bounds, allowed) == found


def test_rule_is_everything_when_the_optimum_is_infinite():
    bounds = SearchRule.AROUND.bounds(AmdahlLaw(100, 1.0), Objective(), 1, 0.9)
    assert SearchRule.AROUND.degrees(bounds, (1, 2, 64)) == (1, 2, 64)


@pytest.mark.parametrize(
    ("objective", "slo", "price"),
    [(Objective(2.0), (), None), (Objective(2.0), (BUDGET,), 0.4),
     (Objective(2.0, price_per_worker_hour=3), (BUDGET,), 3)],
)  # fmt: skip
def test_cost_is_money_when_a_price_is_known(objective, slo, price):
    found = cost_objective(objective, slo)
    assert found.price_per_worker_hour == price
    assert found.urgency == (2 if price is None else 1)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
@pytest.mark.parametrize(("location", "scale"), [(3.0, 0.5), (1.0, 2.0), (-40.0, 1.0)])
@pytest.mark.parametrize("q", [0.02, 0.5, 0.97])
def test_probability_is_the_inverse_of_the_quantile(residual, location, scale, q):
    prediction = Prediction(2, location, scale, residual)
    found = prediction.probability_within(prediction.quantile_s(q))
    assert found == pytest.approx(q, rel=1e-3)


def decision(**changes):
    candidates = (
        Candidate(Prediction(1, math.log(100), 0.1), 4.6, value=-4.6, slo_probability=0.1,
                  keeps_slo=False),
        Candidate(Prediction(2, math.log(50), 0.1), 4.3, value=-4.3, slo_probability=0.99),
        Candidate(Prediction(4, math.log(40), 0.1), 4.4, value=-4.4, slo_probability=0.999),
        Candidate(Prediction(8, math.log(35), 0.1), 4.2, excluded="guard: no"),
    )  # fmt: skip
    base = Decision("t", 2, Phase.OPTIMIZE, "2 workers: so.", candidates=candidates,
                    strategy=Strategy(slo=MaxExecutionTime(60)))  # fmt: skip
    return replace(base, **changes)


def test_explanation_has_a_row_for_every_degree_and_says_why_not():
    explanation = decision().explain()
    assert [row.parallelism for row in explanation.rows] == [1, 2, 4, 8]
    assert [row.chosen for row in explanation.rows] == [False, True, False, False]
    assert [row.why_not for row in explanation.rows] == [
        "keeps the service level with probability 0.100 only", "", "score 10.5 % higher",
        "guard: no"]  # fmt: skip
    assert explanation.rows[1].cost == pytest.approx(2 * 50 * math.exp(0.005))
    assert explanation.cost_unit == "worker-seconds"


def test_explanation_counts_money_when_a_price_is_known():
    explanation = decision(strategy=Strategy(slo=BUDGET)).explain()
    assert explanation.cost_unit == "money"
    assert explanation.rows[1].cost == pytest.approx(100 * math.exp(0.005) * 0.4 / 3600)


def test_explanation_reads_as_a_table_that_marks_the_chosen_degree():
    lines = str(decision().explain()).splitlines()
    assert lines[0].split()[:2] == ["workers", "expected"]
    assert "2 <-" in lines[2]
    assert lines[-1] == "2 workers: so."


def test_explanation_is_the_reason_when_nothing_is_known_yet():
    assert str(decision(candidates=()).explain()) == "2 workers: so."


def test_explanation_marks_what_a_dry_run_recommends():
    fixed = decision(strategy=Strategy(dry_run=True), recommended_parallelism=4)
    assert [row.why_not for row in fixed.explain().rows][2] == "recommended"
