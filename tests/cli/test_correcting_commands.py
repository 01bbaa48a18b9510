import io
import json

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main


@pytest.fixture
def url(sqlite_url):
    with ArboOptimizer(sqlite_url) as arbo:
        arbo.attach_trial("t", parallelism=4, execution_time_s=2.0)
    return sqlite_url


@pytest.fixture
def call(url, capsys):
    def run(*arguments, status=0):
        assert main([*arguments, "--store", url]) == status
        return capsys.readouterr()

    return run


def test_trial_trains_no_more_when_it_is_excluded(call):
    assert (
        "does not train: the disk was slow"
        in call("exclude", "t", "0", "--reason", "the disk was slow").err
    )
    assert json.loads(call("tasks", "--json").out)[0]["sample_count"] == 0
    assert "trial 0 of 't' trains" in call("exclude", "t", "0", "--undo").err


def test_exclusion_is_refused_when_it_is_undone_for_a_reason(call):
    assert "not both" in call("exclude", "t", "0", "--undo", "--reason", "x", status=2).err


def test_exclusion_keeps_its_reason_when_it_is_done_again_without_one(call):
    call("exclude", "t", "0", "--reason", "the disk was slow")
    assert call("exclude", "t", "0").err.endswith("does not train: the disk was slow\n")
    assert call("exclude", "t", "0", "--reason", "").err.endswith("train: the disk was slow\n")


def test_exclusion_says_what_the_reason_was_when_another_one_is_given(call):
    call("exclude", "t", "0", "--reason", "the disk was slow")
    said = call("exclude", "t", "0", "--reason", "wrong input").err
    assert "does not train: wrong input (the reason was: the disk was slow)" in said


def test_completion_is_refused_when_it_is_excluded_for_an_empty_reason(call):
    arguments = ("complete", "t", "0", "--time", "2", "--exclude", " ")
    assert "needs a reason" in call(*arguments, status=2).err


def test_nothing_changes_when_a_task_is_given_the_name_that_it_has(call, url):
    assert call("rename", "t", "t").err == "t is called so already, nothing changed\n"
    assert len(ArboOptimizer(url).trials("t")) == 1
    assert "no task 'nope'" in call("rename", "nope", "nope", status=1).err


def test_task_is_renamed(call, url):
    assert call("rename", "t", "u").err == "t is now u\n"
    assert [e.name for e in ArboOptimizer(url).experiments()] == ["u"]


def test_task_is_deleted_when_it_is_confirmed(call, url, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    assert "deleted t" in call("delete", "t").err
    assert ArboOptimizer(url).experiments() == []


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_task_stays_when_nobody_confirms(call, url, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert "1 of which train" in call("delete", "t", status=1).err
    assert len(ArboOptimizer(url).trials("t")) == 1


def test_task_is_deleted_without_a_question_when_yes_is_given(call, url):
    call("delete", "t", "--yes")
    assert ArboOptimizer(url).experiments() == []


def test_lease_is_configured(call):
    call("configure", "t", "--lease", "36h")
    assert json.loads(call("tasks", "--json").out)[0]["lease_s"] == 36 * 3600
