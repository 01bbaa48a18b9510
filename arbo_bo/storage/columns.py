"""The columns of both tables, and what their values are; the schema and the mapping follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from arbo_bo.experiment.validation import MAX_NAME_LENGTH


class Kind(StrEnum):
    """What a column holds. MOMENT: an instant, in UTC. OBJECT: a JSON object."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    MOMENT = "moment"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name.
        kind: What it holds.
        required: Whether every row has a value.
        length: How many characters a text may have; None: any number.
        default: What the database fills in.
        is_key: Whether it is a part of the primary key.
        is_large: Whether an INTEGER needs eight bytes.
    """

    name: str
    kind: Kind
    required: bool = False
    length: int | None = None
    default: int | None = None
    is_key: bool = False
    is_large: bool = False


def _name(name: str, required: bool = True, is_key: bool = False) -> Column:
    return Column(name, Kind.TEXT, required, MAX_NAME_LENGTH, is_key=is_key)


def _real(name: str, required: bool = False, default: int | None = None) -> Column:
    return Column(name, Kind.REAL, required, default=default)


def _moment(name: str, required: bool = False) -> Column:
    return Column(name, Kind.MOMENT, required)


TASK_COLUMNS = (
    _name("namespace", is_key=True),
    _name("task_name", is_key=True),
    # T1 + C of the law: wall time at s = 1 and gamma = 1, start-up included [s].
    _real("t_base_1"),
    _real("p_obs"),
    _real("c_startup"),
    _real("k_exponent"),
    _real("alpha", required=True),
    _real("base_input_size"),
    Column("sample_count", Kind.INTEGER, required=True, default=0),
    _moment("last_updated"),
    Column("configuration", Kind.OBJECT, required=True),
    Column("hyperparameters", Kind.OBJECT, required=True),
    Column("version", Kind.INTEGER, required=True, default=1, is_large=True),
    Column("next_trial_index", Kind.INTEGER, required=True, default=0),
)

TRIAL_COLUMNS = (
    Column("trial_id", Kind.TEXT, required=True, length=36, is_key=True),
    _name("namespace"),
    _name("task_name"),
    Column("trial_index", Kind.INTEGER, required=True),
    Column("status", Kind.TEXT, required=True, length=16),
    Column("parallelism", Kind.INTEGER, required=True),
    _real("input_size"),
    _real("input_scale_factor", required=True, default=1),
    _real("cluster_load"),
    _real("execution_time_s"),
    _real("startup_time_s"),
    _real("residual_s"),
    _real("predicted_time_s"),
    _real("predicted_time_std_s"),
    Column("acquisition", Kind.TEXT, length=255),
    Column("phase", Kind.TEXT, required=True, length=16),
    _moment("created_at", required=True),
    _moment("started_at"),
    _moment("finished_at"),
    _real("timed_out_after_s"),
    Column("failure_reason", Kind.TEXT),
    _name("idempotency_key", required=False),
    _name("run_key", required=False),
    Column("exclusion_reason", Kind.TEXT),
    Column("strategy", Kind.OBJECT),
    _moment("lease_expires_at"),
    Column("time_measure", Kind.TEXT, length=16),
    _real("queued_time_s"),
    _real("mean_cluster_load"),
    Column("recommended_parallelism", Kind.INTEGER),
    Column("reason", Kind.TEXT),
    Column("decision", Kind.OBJECT),
    _name("worker_type", required=False),
)

PLACE = ("namespace", "task_name")
"""Where a row stands: the store's to say, not the trial's or the task's own."""

DECIDED = ("reason", "decision")
"""What is written when a trial is decided, and never again."""

KINDS: Mapping[str, Kind] = {
    **{column.name: column.kind for column in (*TASK_COLUMNS, *TRIAL_COLUMNS)},
    "moment": Kind.MOMENT,
}
"""The kind of every column that a statement returns; others are what the driver makes of them."""
