"""One task that several callers configure, again and again."""

import pytest

from arbo_bo import ArboOptimizer, MaxExecutionTime, Objective
from arbo_bo.errors import DegreeNotAllowedError

SALES, CLICKS = "stage transform of DAG sales", "stage transform of DAG clicks"


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


def degrees(arbo):
    return arbo.experiment("t").search_space.degrees


def test_persons_setting_stays_when_a_caller_asks_for_its_own_again(arbo, caplog):
    asks = {"parallelism": (1, 8), "default_parallelism": 8, "caller": SALES}
    arbo.configure_experiment("t", **asks)
    arbo.configure_experiment("t", parallelism=[1, 2, 4])
    for _ in range(2):
        arbo.configure_experiment("t", **asks)
    assert degrees(arbo) == (1, 2, 4)
    assert caplog.text.count("parallelism stays 1, 2, 4, though stage transform of DAG sales") == 2


def test_callers_setting_is_taken_when_the_caller_changes_it(arbo, caplog):
    arbo.configure_experiment("t", parallelism=(1, 8), caller=SALES)
    arbo.configure_experiment("t", parallelism=[1, 2, 4])
    arbo.configure_experiment("t", parallelism=(1, 16), caller=SALES)
    assert degrees(arbo) == tuple(range(1, 17))
    assert "parallelism is 1 to 16 from now on" in caplog.text
    assert "it was 1, 2, 4" in caplog.text


def test_first_caller_is_obeyed_and_the_second_warned_when_they_ask_for_different_things(
    arbo, caplog
):
    arbo.configure_experiment("t", parallelism=[1, 2, 4], default_parallelism=2, caller=SALES)
    arbo.configure_experiment("t", parallelism=[2, 3], default_parallelism=3, caller=CLICKS)
    assert (degrees(arbo), arbo.experiment("t").default_parallelism) == ((1, 2, 4), 2)
    assert f"{CLICKS} asks for 2, 3: {SALES} asks for that" in caplog.text


def test_nothing_is_said_when_two_callers_agree(arbo, caplog):
    for caller in (SALES, CLICKS, SALES):
        arbo.configure_experiment("t", parallelism=[1, 2], objective=Objective(2.0), caller=caller)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_nothing_is_written_when_a_caller_asks_again(arbo):
    arbo.configure_experiment("t", window=7, caller=SALES)
    before = arbo.experiment("t").model.version
    arbo.configure_experiment("t", window=7, caller=SALES)
    assert arbo.experiment("t").model.version == before


@pytest.mark.parametrize(
    ("setting", "asked", "by_hand", "kept"),
    [
        ("slo", MaxExecutionTime(100.0), (), ()),
        ("slo", MaxExecutionTime(100.0), MaxExecutionTime(100.4), (MaxExecutionTime(100.4),)),
        ("pin", 4, None, None),
        ("guard", 0.8, 0.9, 0.9),
        ("dry_run", True, False, False),
    ],
)
def test_persons_strategy_stays_when_a_caller_asks_for_its_own_again(
    arbo, setting, asked, by_hand, kept
):
    arbo.configure_experiment("t", **{setting: asked}, caller=SALES)
    arbo.configure_experiment("t", **{setting: by_hand})
    arbo.configure_experiment("t", **{setting: asked}, caller=SALES)
    assert getattr(arbo.experiment("t").strategy, setting) == kept


def test_default_stays_when_it_is_none_of_the_degrees_that_a_person_allows(arbo, caplog):
    arbo.configure_experiment("t", parallelism=(1, 8), default_parallelism=4, caller=SALES)
    arbo.configure_experiment("t", parallelism=[1, 2, 4])
    arbo.configure_experiment("t", parallelism=(1, 8), default_parallelism=8, caller=SALES)
    assert arbo.experiment("t").default_parallelism == 4
    assert "none of the degrees that are allowed now" in caplog.text


def test_error_is_the_callers_own_when_its_settings_contradict_each_other(arbo):
    with pytest.raises(DegreeNotAllowedError):
        arbo.configure_experiment("t", parallelism=(1, 8), default_parallelism=9, caller=SALES)
