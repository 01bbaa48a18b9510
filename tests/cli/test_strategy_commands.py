import json
import re

import pytest

from arbo_bo import AmdahlLaw, ArboOptimizer, MaxCost, MaxExecutionTime, Objective
from arbo_bo.cli import main

LAW = AmdahlLaw(300.0, 0.93, 5.0)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'arbo.db'}"


@pytest.fixture
def arbo(url, capsys):
    with ArboOptimizer(url) as optimizer:
        optimizer.configure_experiment("t", parallelism=(1, 16))

    def call(*arguments, status=0):
        assert main([*map(str, arguments), "--store", url]) == status
        return capsys.readouterr()

    return call


@pytest.fixture
def strategy(url):
    """The task's strategy as it is stored."""

    def read():
        with ArboOptimizer(url) as optimizer:
            return optimizer.experiment("t").strategy

    return read


@pytest.fixture
def with_history(url):
    with ArboOptimizer(url) as optimizer:
        rows = [{"parallelism": s, "execution_time_s": LAW.runtime_s(s)} for s in (1, 5, 9, 14)]
        optimizer.attach_trials("t", rows)


def test_service_levels_are_stored_and_changed(arbo, strategy):
    arbo("configure", "t", "--max-time", "10m", "--confidence", 0.9)
    assert strategy().slo == (MaxExecutionTime(600, 0.9),)
    arbo("configure", "t", "--max-cost", 1.2, "--price-per-worker-hour", 0.4)
    assert strategy().slo == (MaxExecutionTime(600, 0.9), MaxCost(1.2, 0.4))
    arbo("configure", "t", "--confidence", 0.8)
    assert {level.confidence for level in strategy().slo} == {0.8}
    arbo("configure", "t", "--max-cost", 2)
    assert strategy().slo[1] == MaxCost(2, 0.4)
    arbo("configure", "t", "--window", 20)
    assert len(strategy().slo) == 2
    arbo("configure", "t", "--no-slo", "--max-time", "500ms")
    assert strategy().slo == (MaxExecutionTime(0.5),)
    arbo("configure", "t", "--no-slo")
    assert strategy().slo == ()


def test_configure_shows_the_strategy(arbo):
    shown = arbo("configure", "t", "--max-time", "10m", "--guard", 0.8).out
    assert "knowledge_gradient, within 10 min 00 s with probability 0.95, guard 0.8" in " ".join(
        shown.split()
    )


def test_configure_shows_what_else_was_set_and_no_default(arbo):
    words = ("--mean", "usl", "--window", 20, "--no-baseline", "--lease", "2h", "--default", 4)
    shown = " ".join(arbo("configure", "t", *words).out.split())
    settings = "knowledge_gradient, default 4, window 20, mean usl, no baseline, lease 2 h 00 min"
    assert settings in shown
    assert arbo("tasks").out.strip().endswith(settings)
    arbo("configure", "u", "--window", 50)
    assert " ".join(arbo("show", "u").out.split()).count("knowledge_gradient,") == 0


def test_price_is_the_objectives_when_there_is_no_budget(arbo, url):
    arbo("configure", "t", "--max-time", "1h", "--price-per-worker-hour", 0.4)
    with ArboOptimizer(url) as optimizer:
        assert optimizer.experiment("t").objective == Objective(1.0, price_per_worker_hour=0.4)


def test_rails_are_stored_and_removed(arbo, strategy):
    arbo("configure", "t", "--acquisition", "lcb", "--pin", 4, "--guard", 0.8, "--dry-run")
    found = strategy()
    assert (found.acquisition, found.pin, found.guard, found.dry_run) == ("lcb", 4, 0.8, True)
    arbo("configure", "t", "--unset", "pin", "--unset", "guard", "--no-dry-run")
    arbo("configure", "t", "--unset", "acquisition")
    found = strategy()
    assert (found.acquisition, found.pin, found.guard, found.dry_run) == ("auto", None, None, False)


@pytest.mark.parametrize("option", ["cost-exponent", "price_per_worker_hour", "--urgency"])
def test_part_of_the_objective_goes_back_to_its_default_when_it_is_unset(arbo, url, option):
    arbo("configure", "t", "--urgency", 2, "--cost-exponent", 0.7)
    arbo("configure", "t", "--unset", option)
    expected = {
        "cost-exponent": Objective(2.0),
        "price_per_worker_hour": Objective(2.0, 0.7),
        "--urgency": Objective(1.0, 0.7),
    }[option]
    with ArboOptimizer(url) as optimizer:
        assert optimizer.experiment("t").objective == expected


def test_price_goes_when_it_is_unset(arbo, url):
    arbo("configure", "t", "--price-per-worker-hour", 0.4)
    arbo("configure", "t", "--urgency", 2)
    arbo("configure", "t", "--unset", "price-per-worker-hour")
    with ArboOptimizer(url) as optimizer:
        assert optimizer.experiment("t").objective == Objective(2.0)


@pytest.mark.parametrize("name", ["max-time", "max-cost"])
def test_one_service_level_goes_when_it_is_unset(arbo, strategy, name):
    arbo("configure", "t", "--max-time", "10m", "--max-cost", 1, "--price-per-worker-hour", 0.4)
    arbo("configure", "t", "--unset", name)
    left = {"max-time": (MaxCost(1, 0.4),), "max-cost": (MaxExecutionTime(600),)}
    assert strategy().slo == left[name]


def test_search_rule_and_sibling_are_stored(arbo, strategy):
    arbo("configure", "sibling")
    arbo("configure", "t", "--search", "efficiency", "--eta", 0.95, "--like", "sibling")
    found = strategy()
    assert (found.search, found.eta, found.like) == ("efficiency", 0.95, "sibling")


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--max-time", "600"), 1, "--max-time needs a unit, as in 600s or 10m, got '600'"),
        (("--max-time", "10 parsecs"), 1, "--max-time must be a time such as"),
        (("--max-time", "0s"), 1, "--max-time must be a time such as"),
        (("--max-time", "-5m"), 1, "--max-time must be a time such as"),
        (("--max-time", "nanm"), 1, "--max-time must be a time such as"),
        (("--max-cost", "1"), 2, "--max-cost needs --price-per-worker-hour"),
        (("--max-cost", "0", "--price-per-worker-hour", "1"), 1, "a budget must be greater than 0"),
        (("--max-cost", "nan", "--price-per-worker-hour", "1"), 1, "a budget must be finite"),
        (("--max-cost", "1", "--price-per-worker-hour", "0"), 1, "price_per_worker_hour must be"),
        (("--price-per-worker-hour", "-1"), 1, "price_per_worker_hour must be greater"),
        (("--price-per-worker-hour", "1", "--cost-exponent", "0.7"), 2, "give one of them"),
        (("--confidence", "0.9"), 2, "--confidence goes with --max-time or --max-cost"),
        (("--max-time", "1m", "--confidence", "1"), 1, "confidence must lie strictly between"),
        (("--max-time", "1m", "--confidence", "nan"), 1, "confidence must be finite"),
        (("--acquisition", "ei"), 1, "acquisition must be one of expected_cost, expected_improve"),
        (("--acquisition", "deadline"), 2, "--acquisition deadline needs --max-time"),
        (("--acquisition", "budget"), 2, "--acquisition budget needs --max-cost"),
        (("--acquisition", "constrained_improvement"), 2, "needs --max-time or --max-cost"),
        (("--acquisition", "budget", "--max-time", "1m"), 2, "budget needs --max-cost"),
        (("--pin", "40"), 1, "parallelism 40 is not allowed here"),
        (("--guard", "1.5"), 1, "guard must lie strictly between 0 and 1"),
        (("--search", "near"), 1, "search must be one of all, up_to_1.2"),
        (("--pin", "0"), 1, "pin must lie in [1,"),
        (("--unset", "colour"), 2, "--unset names no setting: 'colour'; there are parallelism, "),
        (("--pin", "3", "--unset", "pin"), 2, "give --pin or --unset pin, not both"),
        (("--like", "nobody"), 1, "'nobody'"),
        (("--like", "t"), 1, "cannot be like itself"),
    ],
)  # fmt: skip
def test_mistake_is_answered_in_one_line(arbo, options, status, message):
    error = arbo("configure", "t", *options, status=status).err
    plain = " ".join(re.sub(r"[│╭╮╰╯─]", " ", error).split())
    assert message in plain
    if status == 1:
        assert len(error.strip().splitlines()) == 1


def test_suggest_explains_every_candidate(arbo, with_history):
    captured = arbo("suggest", "t", "--acquisition", "deadline", "--max-time", "60s", "--explain")
    assert captured.out.startswith("parallelism=")
    assert "P(SLO)" in captured.err
    assert "keeps the service level with probability" in captured.err
    assert "keeps 1 min 00 s" in captured.err or "keeps 60 s" in captured.err


def test_suggest_says_in_json_how_it_chose(arbo, with_history):
    found = json.loads(arbo("suggest", "t", "--acquisition", "risk_averse", "--json").out)
    assert found["acquisition"] == found["strategy"]["acquisition"] == "risk_averse"
    assert [c["parallelism"] for c in found["candidates"]] == list(range(1, 17))
    assert sum(c["chosen"] for c in found["candidates"]) == 1


def test_show_tells_what_a_dry_run_would_have_chosen(arbo, with_history):
    arbo("suggest", "t", "--dry-run")
    shown = arbo("show", "t").out
    assert "advised)" in shown
    assert "a dry run, at the default degree; it would choose" in shown


def test_show_has_the_service_level_in_its_table(arbo, with_history):
    arbo("configure", "t", "--max-time", "60s")
    shown = arbo("show", "t").out
    assert "P(SLO)" in shown
    assert "why not" in shown


def test_help_lists_the_options_of_the_strategy(arbo, capsys):
    assert main(["tune", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"--{name}" in shown for name in ("max-time", "acquisition", "guard", "like"))


@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        (["--price-per-worker-hour", "0.4"], True),
        (["--urgency", "0.5"], True),
        (["--price-per-worker-hour", "0.4", "--max-time", "10m"], False),
        (["--urgency", "2"], False),
        (["--window", "30"], False),
    ],
)
def test_objective_that_saves_money_alone_is_told(store_url, capsys, options, is_told):
    assert main(["configure", "t", "--parallelism", "1:8", *options, "--store", store_url]) == 0
    told = capsys.readouterr().err
    assert ("chooses the smallest degree, 1," in told) == is_told
    assert ("--max-time" in told) == is_told
