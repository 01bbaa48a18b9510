import threading

import pytest

from arbo_bo.context import cluster_load_of


@pytest.mark.parametrize(("answer", "load"), [(3, 3.0), (0, 0.0), (2.5, 2.5), (None, None)])
def test_load_is_what_the_callable_returns(answer, load, caplog):
    assert cluster_load_of(lambda: answer) == load
    assert caplog.text == ""


@pytest.mark.parametrize("answer", [-1, float("nan"), float("inf"), "3", True, [1]])
def test_load_is_unknown_when_the_answer_is_none(answer, caplog):
    assert cluster_load_of(lambda: answer) is None
    assert "the cluster load must be" in caplog.text


def failing():
    raise OSError("no route to host")


@pytest.mark.parametrize(("source", "said"), [(failing, "no route to host"), (3, "not callable")])
def test_load_is_unknown_when_the_source_fails(source, said, caplog):
    assert cluster_load_of(source) is None
    assert said in caplog.text


def test_load_is_unknown_when_the_source_is_slow(caplog):
    released = threading.Event()
    assert cluster_load_of(lambda: released.wait(60), timeout_s=0.05) is None
    released.set()
    assert "no answer within 0.05 s" in caplog.text
