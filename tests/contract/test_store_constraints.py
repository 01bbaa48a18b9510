"""What the database itself refuses, whoever writes."""

import math

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from arbo_bo.errors import StoreError

TRIAL = {
    "trial_id": "x",
    "namespace": "default",
    "task_name": "load_sales",
    "trial_index": 1,
    "status": "FAILED",
    "parallelism": 4,
    "phase": "attached",
    "created_at": "2024-01-01 00:00:00",
}
POSITIVE = ("execution_time_s", "timed_out_after_s", "input_size", "input_scale_factor")
NOT_NEGATIVE = ("startup_time_s", "cluster_load", "queued_time_s", "mean_cluster_load")


@pytest.fixture
def connection(lasting_store):
    """A connection past arbo_bo, in a transaction that is undone in the end."""
    engine = create_engine(lasting_store.database.url.render(hide_password=False))
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def insert(connection):
    """Inserts a row by raw SQL, and returns what the database then holds."""

    def run(**changed):
        row = {**TRIAL, **changed}
        columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO execution_history ({columns}) VALUES ({marks})"), row)
        query = text("SELECT * FROM execution_history WHERE trial_id = 'x'")
        return dict(connection.execute(query).mappings().one())

    return run


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, -math.inf, 1e300, 1.7e308])
@pytest.mark.parametrize("column", POSITIVE)
def test_positive_columns_refuse_other_numbers(insert, column, bad):
    with pytest.raises(
        IntegrityError, match=f"ck_execution_history_{column.removesuffix('_s')}_positive"
    ):
        insert(**{column: bad})


@pytest.mark.parametrize("bad", [-1e-300, -1.0, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("column", NOT_NEGATIVE)
def test_non_negative_columns_refuse_other_numbers(insert, column, bad):
    with pytest.raises(
        IntegrityError, match=f"ck_execution_history_{column.removesuffix('_s')}_not_negative"
    ):
        insert(**{column: bad})


@pytest.mark.parametrize("column", POSITIVE + NOT_NEGATIVE)
def test_no_column_holds_nan(insert, column):
    try:
        held = insert(**{column: math.nan})[column]
    except IntegrityError:
        held = None  # PostgreSQL refuses; SQLite has no NaN and takes it for NULL
    assert held is None


@pytest.mark.parametrize("column", POSITIVE)
def test_positive_columns_take_the_smallest_and_the_largest(insert, column):
    assert insert(**{column: 5e-324})[column] == 5e-324


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "DONE"},
        {"status": "running"},
        {"parallelism": 0},
        {"parallelism": -4},
        {"trial_index": -1},
        {"status": "COMPLETED"},
        {"status": "COMPLETED", "execution_time_s": math.nan},
        {"status": None},
        {"time_measure": "median"},
        {"recommended_parallelism": 0},
        {"parallelism": None},
    ],
)
def test_row_is_refused_when_it_breaks_a_rule(insert, changed):
    with pytest.raises(IntegrityError):
        insert(**changed)


@pytest.mark.parametrize("repeated", [{"trial_id": "y"}, {"trial_index": 2}])
def test_row_is_refused_when_its_index_or_id_is_taken(insert, repeated):
    insert()
    with pytest.raises(IntegrityError):
        insert(**repeated)


@pytest.mark.parametrize(
    "assignment",
    [
        "t_base_1 = 0",
        "t_base_1 = 1e305",
        "p_obs = 1.5",
        "p_obs = -0.1",
        "c_startup = -1",
        "k_exponent = 1e300",
        "alpha = 0",
        "alpha = 1.1",
        "base_input_size = 0",
        "sample_count = -1",
        "next_trial_index = -1",
    ],
)
def test_task_is_refused_when_it_breaks_a_rule(connection, assignment):
    with pytest.raises(IntegrityError):
        connection.execute(text(f"UPDATE task_models SET {assignment}"))


def test_trial_is_refused_when_its_task_is_unknown(store, task, trial, sql):
    store.add(task, [trial()])
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        sql("UPDATE execution_history SET task_name = 'nothing'")


def test_trials_follow_when_their_task_is_renamed(store, task, trial, sql):
    added = store.add(task, [trial(), trial()])
    sql("UPDATE task_models SET task_name = 'renamed'")
    assert len(store.trials("renamed")) == len(added)


def test_trials_go_when_their_task_is_deleted(store, task, trial, sql):
    store.add(task, [trial(), trial()])
    sql("DELETE FROM task_models")
    assert sql("SELECT count(*) FROM execution_history") == [(0,)]
