"""Sources that nobody would write."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arbo_bo.context import PrometheusLoad, input_size_of
from arbo_bo.errors import ArboError, InvalidValueError

SCHEMES = st.sampled_from(["", "file://", "memory://", "http://127.0.0.1:1/", "nosuch://", "s3:"])
ODD = st.sampled_from(["*", "**", "[", "?", "::", "\0", "\ud800", "%00", "@", "#", "\n"])
TEXTS = st.builds(
    "".join, st.tuples(SCHEMES, st.lists(st.text(max_size=8) | ODD, max_size=5).map("".join))
)
OTHERS = st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.text())


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(source=TEXTS.filter(lambda text: not text.startswith(("/", "~", "file:"))) | OTHERS)
def test_only_typed_errors_come_out_of_a_size(source):
    try:
        size = input_size_of(source)
    except ArboError as err:
        shown = str(err)
    else:
        assert size is None or size > 0
        return
    assert shown.isprintable()
    assert len(shown) < 2000


@settings(deadline=None, max_examples=200)
@given(url=TEXTS | OTHERS, query=TEXTS | OTHERS)
def test_only_typed_errors_come_out_of_a_load_source(url, query):
    try:
        load = PrometheusLoad(url, query)
    except InvalidValueError:
        return
    assert os.linesep not in repr(load)
