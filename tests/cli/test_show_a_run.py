"""``arbo show TASK INDEX``: why a past run had its degree."""

import json

import pytest
from sqlalchemy import create_engine, text

from arbo_bo import ArboOptimizer, MaxExecutionTime
from arbo_bo.cli import main
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import AmdahlLaw
from arbo_bo.experiment.decision_view import decision_view
from arbo_bo.storage.url import resolve_url

LAW = AmdahlLaw(t1_s=100.0, p=0.9, c_s=2.0)


@pytest.fixture
def arbo(store_url):
    with ArboOptimizer(store_url) as opened:
        opened.configure_experiment(
            "t", parallelism=[1, 2, 4, 8], slo=[MaxExecutionTime(60.0, confidence=0.9)]
        )
        yield opened


def optimized(arbo, runs=6):
    """The last of some runs' decisions."""
    for _ in range(runs):
        decision = arbo.suggest("t")
        arbo.complete_trial("t", decision, execution_time_s=LAW.runtime_s(decision.parallelism))
    return decision


def shown(store_url, capsys, *arguments):
    assert main(["show", "t", *map(str, arguments), "--store", store_url]) == 0
    return capsys.readouterr().out


def test_past_decision_is_whole_again(arbo):
    decided = optimized(arbo)
    found = arbo.decision("t", decided.trial_index)
    assert decision_view(found) == decision_view(decided)
    assert len(found.candidates) == 4
    assert found.candidates[0].slo_probability is not None
    assert found.default_parallelism == 4
    assert found.was_kept


def test_straggler_in_the_window_is_told(arbo):
    arbo.attach_trials(
        "t",
        [
            {"parallelism": s, "execution_time_s": LAW.runtime_s(s) * (1 + 0.01 * i)}
            for i in range(4)
            for s in (1, 2, 4, 8)
        ]
        + [{"parallelism": 4, "execution_time_s": 40 * LAW.runtime_s(4)}],
    )
    decided = arbo.suggest("t")
    (told,) = decided.anomalies
    assert told.startswith("trial 16 ")
    assert arbo.decision("t", decided).anomalies == decided.anomalies


def test_terminal_tells_what_the_decision_saw(arbo, store_url, capsys):
    decided = optimized(arbo)
    told = shown(store_url, capsys, decided.trial_index)
    for part in (
        decided.reason,
        "default degree: 4",
        "law: T(s) =",
        f"chosen by: {decided.acquisition}",
    ):
        assert part in told
    table = told[told.index("P(SLO)") :].splitlines()
    assert sum("<-" in line for line in table) == 1


def test_programs_get_the_same_view(arbo, store_url, capsys):
    decided = optimized(arbo)
    document = json.loads(shown(store_url, capsys, decided.trial_id, "--json"))
    assert document["decision"] == json.loads(json.dumps(decision_view(decided)))
    assert document["trial"]["trial_index"] == decided.trial_index


def test_attached_run_has_no_decision(arbo, store_url, capsys):
    arbo.attach_trial("t", parallelism=2, execution_time_s=5.0)
    with pytest.raises(InvalidValueError, match="attached"):
        arbo.decision("t", 0)
    assert "it was attached" in shown(store_url, capsys, 0)
    assert json.loads(shown(store_url, capsys, 0, "--json"))["decision"] is None


def test_what_an_earlier_version_did_not_keep_is_said(arbo, store_url, capsys):
    decided = optimized(arbo)
    engine = create_engine(resolve_url(store_url).render(hide_password=False))
    with engine.begin() as connection:
        connection.execute(text("UPDATE execution_history SET decision = NULL, reason = NULL"))
    engine.dispose()
    assert "not kept" in shown(store_url, capsys, decided.trial_index)
    assert not arbo.decision("t", decided.trial_index).was_kept


def test_size_of_the_next_run_has_no_place_beside_a_past_one(arbo, store_url, capsys):
    optimized(arbo, 1)
    assert main(["show", "t", "0", "--input-size", "5", "--store", store_url]) == 2
    assert "INDEX" in capsys.readouterr().err
