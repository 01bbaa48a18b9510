"""Exports that somebody has changed by hand, in every way."""

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arbo_bo import ArboOptimizer
from arbo_bo.errors import ArboError
from arbo_bo.storage.archive import import_csv, import_lines
from arbo_bo.storage.export import export_csv, export_lines
from arbo_bo.storage.store import SQLTrialStore

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5000)
    | st.datetimes().map(str)
    | st.sampled_from(["a\0b", "\ud800", "RUNNING", "0001-01-01T00:00:00+14:00", 1e305, 5e-324]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def exported():
    """One task as JSON lines, and as CSV."""
    with ArboOptimizer("sqlite://") as arbo:
        for time_s in (90.0, 40.0, 30.0):
            index = arbo.suggest("t", input_size=5.0, idempotency_key=str(time_s)).trial_index
            arbo.complete_trial("t", index, execution_time_s=time_s, startup_time_s=0.25)
        arbo.suggest("t")
        return list(export_lines(arbo.store)), list(export_csv(arbo.store))


def take(lasting_store, read, lines):
    """Imports into a namespace of its own; nothing is there if that fails."""
    url = lasting_store.database.url.render(hide_password=False)
    with SQLTrialStore(url, f"fuzz-{next(NUMBERS)}") as store:
        try:
            read(store, lambda: lines)
        except ArboError:
            assert store.experiments() == []
        else:
            assert [len(store.trials(e.name)) for e in store.experiments()]


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_only_typed_errors_come_out_when_a_line_is_changed(lasting_store, exported, data):
    lines = list(exported[0])
    number = data.draw(st.integers(0, len(lines) - 1))
    record = json.loads(lines[number])
    name = data.draw(st.sampled_from(sorted(record)) | st.text(max_size=300))
    lines[number] = json.dumps({**record, name: data.draw(VALUES)}) + "\n"
    take(lasting_store, import_lines, lines)


@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_only_typed_errors_come_out_when_a_field_of_csv_is_changed(lasting_store, exported, data):
    lines = list(exported[1])
    number = data.draw(st.integers(0, len(lines) - 1))
    fields = lines[number].rstrip("\n").split(",")
    place = data.draw(st.integers(0, len(fields) - 1))
    fields[place] = data.draw(st.text(max_size=300) | VALUES.map(str))
    lines[number] = ",".join(fields) + "\n"
    take(lasting_store, import_csv, lines)
