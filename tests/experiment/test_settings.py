"""A task's settings: one table, and what follows from it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from arbo_bo import ArboOptimizer, Experiment, MaxExecutionTime, Objective
from arbo_bo.experiment import UNSET, Settings, Strategy
from arbo_bo.experiment.keywords import KEYWORDS
from arbo_bo.experiment.settings import SETTINGS, Kind, option_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def table():
    """The table as docs/settings.md is to hold it."""
    lines = ["| option | `configure_experiment` | takes | default | |", "|---|---|---|---|---|"]
    for name, setting in SETTINGS.items():
        option = option_of(name)
        if setting.kind is Kind.FLAG:
            option += f"`, `--no-{option[2:]}"
        takes = f"{setting.kind} [{setting.unit}]" if setting.unit else f"{setting.kind}"
        cells = (f"`{option}`", f"`{setting.keyword}`", takes, setting.default(), setting.summary)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def test_document_holds_the_table_of_settings():
    assert table() in DOCUMENT.read_text(), f"docs/settings.md is to hold\n\n{table()}"


def test_every_setting_is_a_keyword_and_every_keyword_is_a_setting():
    assert {setting.keyword for setting in SETTINGS.values()} | {"strategy"} == set(KEYWORDS)


def test_every_field_that_a_user_may_set_has_a_setting():
    own = {f.name for f in fields(Experiment)} - {
        "name",
        "namespace",
        "model",
        "callers",
        "strategy",
    }
    of_strategy = {f"strategy.{f.name}" for f in fields(Strategy)} - {"strategy.slo"}
    named = {setting.path for setting in SETTINGS.values()}
    assert of_strategy <= named
    assert own <= named | {"objective"}


def test_every_keyword_is_explained_where_it_is_declared():
    explained = re.findall(r"^        (\w+):", Settings.__doc__, flags=re.MULTILINE)
    assert tuple(explained) == KEYWORDS


@pytest.mark.parametrize("name", [n for n, s in SETTINGS.items() if s.path])
def test_value_is_found_where_the_setting_says(name):
    full = Experiment(
        "t",
        objective=Objective(2.0, price_per_worker_hour=0.4),
        strategy=Strategy(slo=(MaxExecutionTime(60),), pin=3, guard=0.8, like="other"),
        lease_s=3600,
    )
    assert name == "max_cost" or SETTINGS[name].value(full) is not None


@pytest.mark.parametrize("value", [{}, {"pin": UNSET, "window": UNSET, "strategy": UNSET}])
def test_setting_stays_when_it_is_not_given(sqlite_url, value):
    with ArboOptimizer(sqlite_url) as arbo:
        before = arbo.configure_experiment("t", pin=3, window=9, slo=MaxExecutionTime(60))
        assert arbo.configure_experiment("t", **value) == before


@pytest.mark.parametrize("name", KEYWORDS)
def test_setting_goes_back_to_its_default_when_it_is_none(sqlite_url, name):
    with ArboOptimizer(sqlite_url) as arbo:
        arbo.configure_experiment("other")
        arbo.configure_experiment(
            "t",
            parallelism=[2, 4],
            default_parallelism=4,
            objective=Objective(2.0),
            window=9,
            baseline=False,
            residual="additive",
            mean="usl",
            alpha=0.5,
            lease_s=60,
            acquisition="lcb",
            slo=MaxExecutionTime(60),
            search="around",
            eta=0.5,
            pin=2,
            dry_run=True,
            guard=0.8,
            like="other",
        )
        changed = arbo.configure_experiment("t", **{name: None})
    field = "search_space" if name == "parallelism" else name
    holder = changed if hasattr(changed, field) else changed.strategy
    usual = Experiment("t") if holder is changed else Strategy()
    assert getattr(holder, field) == getattr(usual, field)


def test_whole_strategy_is_taken_and_changed_by_what_stands_beside_it(sqlite_url):
    with ArboOptimizer(sqlite_url) as arbo:
        arbo.configure_experiment("t", pin=3)
        changed = arbo.configure_experiment("t", strategy=Strategy("lcb", guard=0.8), eta=0.5)
    assert changed.strategy == Strategy("lcb", guard=0.8, eta=0.5)


def test_unknown_setting_is_refused_with_those_that_there_are(sqlite_url):
    with (
        ArboOptimizer(sqlite_url) as arbo,
        pytest.raises(TypeError, match=r"no settings colour; there are parallelism, .*like"),
    ):
        arbo.configure_experiment("t", colour="red")
