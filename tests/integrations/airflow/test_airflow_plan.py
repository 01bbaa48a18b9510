"""Decisions for a plan task, and what happens where none can be had."""

import logging
import threading

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.errors import StoreTimeoutError, StoreUnavailableError
from arbo_bo.integrations.airflow import plan
from arbo_bo.integrations.airflow.limits import Limit, tightest
from arbo_bo.integrations.airflow.plan import Request, advise, keys
from arbo_bo.integrations.airflow.report import label, table
from arbo_bo.integrations.airflow.spec import StageSpec

NO_LIMIT = Limit()


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


def request(run="r1", attempt=1, size=1.0, limit=NO_LIMIT, name="s", **settings):
    settings = {"parallelism": (2, 8), "default_parallelism": 4} | settings
    spec = StageSpec(name, "e", "chunks", settings=settings)
    idempotency_key, run_key = keys("dag", run, name, attempt)
    raw_size = size if callable(size) else lambda: size
    return Request(spec, raw_size, limit, idempotency_key, run_key)


def ask(arbo, *requests, ended=()):
    return advise(lambda: arbo, requests, lambda dag_id, run_id: run_id in ended)


def statuses(arbo):
    return [trial.status for trial in arbo.trials("e")]


def test_trial_is_made_when_the_store_answers(arbo):
    (advice,) = ask(arbo, request(size="2.5"))
    assert (advice.parallelism, advice.phase, advice.trial_index) == (2, "baseline", 0)
    assert arbo.trials("e")[0].input_size == 2.5
    assert arbo.experiment("e").default_parallelism == 4


def test_trial_is_the_same_when_the_same_try_asks_again(arbo):
    ask(arbo, request())
    (advice,) = ask(arbo, request())
    assert advice.trial_index == 0
    assert statuses(arbo) == ["RUNNING"]


def test_older_trial_is_abandoned_when_another_try_asks(arbo):
    ask(arbo, request(attempt=1))
    (advice,) = ask(arbo, request(attempt=2))
    assert advice.trial_index == 1
    assert statuses(arbo) == ["ABANDONED", "RUNNING"]


def test_lost_trial_is_abandoned_when_its_dag_run_is_over(arbo):
    ask(arbo, request("r1"), request("r2"))
    (advice,) = ask(arbo, request("r3"), ended={"r1"})
    assert statuses(arbo) == ["ABANDONED", "RUNNING", "RUNNING"]
    assert "never recorded" in arbo.trials("e")[0].failure_reason
    assert advice.cluster_load == arbo.trials("e")[1].parallelism


def test_stages_see_each_other_as_load_when_one_plan_decides_them(arbo):
    first, second = ask(arbo, request(name="a"), request(name="b"))
    assert (first.cluster_load, second.cluster_load) == (0, first.parallelism)


def test_candidates_are_told_when_the_model_decides(arbo):
    for degree, time_s in [(2, 20.0), (4, 12.0), (8, 8.0)]:
        arbo.configure_experiment("e", parallelism=(2, 8), default_parallelism=4)
        arbo.attach_trial("e", parallelism=degree, execution_time_s=time_s)
    (advice,) = ask(arbo, request(size=None, limit=Limit(6, "max_map_length")))
    assert [row["parallelism"] for row in advice.candidates] == [2, 3, 4, 5, 6]
    text = table(advice)
    assert advice.reason in text
    assert "6 by max_map_length" in text
    assert len(text.splitlines()) == 3 + 5
    assert f"-> {advice.parallelism:6}" in text


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("", "got nothing"),
        ("big", "got 'big'"),
        (0, "greater than 0"),
        (lambda: 1 / 0, "Zero"),
        ("/no/such", "such"),
    ],
)
def test_default_is_taken_when_the_size_cannot_be_had(arbo, caplog, size, words):
    (advice,) = ask(arbo, request(size=size))
    assert (advice.parallelism, advice.trial_index, advice.phase) == (4, None, "default")
    assert words in advice.reason
    assert words in caplog.text
    assert arbo.trials("e") == []


def test_default_is_taken_when_no_allowed_degree_can_run(arbo, caplog):
    (advice,) = ask(arbo, request(limit=Limit(1, "max_map_length")))
    assert (advice.parallelism, advice.trial_index) == (1, None)


def test_default_is_taken_when_the_store_is_down(caplog):
    def refuse():
        raise StoreUnavailableError("connection refused")

    with caplog.at_level(logging.ERROR):
        advices = advise(refuse, [request(name="a"), request(name="b")], lambda *_: False)
    assert [advice.parallelism for advice in advices] == [4, 4]
    assert "stage a takes its default degree 4: connection refused" in caplog.text


def test_one_stage_takes_its_default_when_its_settings_are_wrong(arbo, caplog):
    wrong, right = ask(arbo, request(name="a", like="nobody"), request(name="b"))
    assert "there is no task 'nobody'" in wrong.reason
    assert (wrong.trial_index, right.trial_index) == (None, 0)


def test_size_is_measured_when_it_is_a_path(arbo, tmp_path):
    (tmp_path / "input.vcf").write_bytes(b"x" * 1234)
    (advice,) = ask(arbo, request(size=f"{tmp_path}/*.vcf"))
    assert advice.input_size == arbo.trials("e")[0].input_size == 1234


def test_default_is_taken_when_the_store_hangs(monkeypatch, caplog):
    monkeypatch.setattr(plan, "ANSWER_WITHIN_S", 0.01)
    hang = threading.Event()
    (advice,) = advise(hang.wait, [request()], lambda *_: False)
    hang.set()
    assert (advice.parallelism, advice.trial_index) == (4, None)
    assert "arbo's database did not answer within 0.01 s; check" in advice.reason


def test_reason_is_the_stores_own_when_it_gives_up_before_the_plan_does(caplog):
    def refuse():
        raise StoreTimeoutError("the store did not answer: connection refused")

    (advice,) = advise(refuse, [request()], lambda *_: False)
    assert advice.reason.endswith("could be had: the store did not answer: connection refused")
    assert plan.STORE_WITHIN_S < plan.ANSWER_WITHIN_S


def test_advice_is_given_when_the_state_of_another_run_cannot_be_had(arbo, caplog):
    def fail(dag_id, run_id):
        raise RuntimeError("no such run")

    ask(arbo, request("r1"))
    (advice,) = advise(lambda: arbo, [request("r2")], fail)
    assert advice.trial_index == 1
    assert statuses(arbo) == ["RUNNING", "RUNNING"]
    assert "state of DAG run dag/r1/s cannot be had: no such run" in caplog.text


def test_log_says_where_when_the_authors_callable_fails(arbo, caplog):
    (advice,) = ask(arbo, request(size=lambda: {}["rows"]))
    assert "input_size failed with KeyError: 'rows'" in advice.reason
    assert 'lambda: {}["rows"]' in caplog.text


def test_keys_differ_by_try_and_run_keys_do_not():
    first, second = keys("d", "r", "s", "try-1"), keys("d", "r", "s", "try-2")
    assert first[0] != second[0]
    assert first[1] == second[1] == "d/r/s"


def test_run_key_fits_the_database_when_names_are_long():
    _, run_key = keys("d" * 250, "r" * 250, "s", 1)
    assert len(run_key) < 255
    assert run_key == keys("d" * 250, "r" * 250, "s", 2)[1]


@pytest.mark.parametrize(
    ("shared", "own", "stages", "limit"),
    [
        ({"a": 10, "b": None}, {}, 1, "10 by a"),
        ({"a": 10}, {"own": 3}, 1, "3 by own"),
        ({"a": 10}, {"own": 30}, 3, "3 by a"),
        ({"a": 2}, {}, 3, "1 by a"),
        ({}, {"own": None}, 1, "no limit"),
    ],
)
def test_limit_is_the_tightest_that_is_known(shared, own, stages, limit):
    assert str(tightest(shared, own, stages)) == limit


def test_label_counts_from_one(arbo):
    (advice,) = ask(arbo, request())
    assert [label(advice, 0, False), label(advice, 1, True)] == ["chunk 1/2", "s chunk 2/2"]


def test_trial_is_told_by_its_identity_when_it_is_made(arbo):
    (advice,) = ask(arbo, request())
    assert advice.as_json()["trial_id"] == arbo.trials("e")[0].trial_id
