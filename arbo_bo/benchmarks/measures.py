"""What a policy reached in one suite and objective: regret, misses and cost over spans of runs."""

from typing import TYPE_CHECKING

from arbo_bo.benchmarks.problems import program_of

if TYPE_CHECKING:
    import pandas as pd

GROUP = ["suite", "urgency", "cost_exponent"]
TASK = ["problem", "seed"]
EARLY = (3, 12)
LATER = 4
LONG = (1, 30)
LATE = (8, 40)
"""Runs over which a deadline's misses are counted once there are so many."""
FINAL_RUNS = (5, 10, 20)

EARLY_REGRET = "early_regret"
LATER_REGRET = "later_regret"
"""Without the third run, in which Ernest still follows its design."""
LONG_REGRET = "long_regret"
FINAL_REGRETS = tuple(f"regret_at_{n}" for n in FINAL_RUNS)
MISS_RATE = "early_miss_rate"
LATE_MISS_RATE = "late_miss_rate"
COST = "cost_over_cheapest"
LATE_COST = "late_cost_over_cheapest"
DECISION_MS = "decision_ms"


def title(column: str, last: int) -> str:
    """What a column of `summarise` is called in a table.

    Args:
        column: Its name.
        last: The last run that was made: with fewer than twelve the first ones end there.

    >>> title("early_regret", 8)
    'regret, runs 3-8'
    """
    early = min(EARLY[1], last)
    titles = {
        EARLY_REGRET: f"regret, runs {EARLY[0]}-{early}",
        LATER_REGRET: f"regret, runs {LATER}-{early}",
        LONG_REGRET: f"regret, runs {LONG[0]}-{LONG[1]}",
        MISS_RATE: f"miss rate, runs {EARLY[0]}-{early}",
        LATE_MISS_RATE: f"miss rate, runs {LATE[0]}-{LATE[1]}",
        COST: f"cost over the cheapest, runs {EARLY[0]}-{early}",
        LATE_COST: f"the same, runs {LATE[0]}-{LATE[1]}",
        DECISION_MS: "ms a decision",
    }
    titles |= {f"regret_at_{n}": f"regret at {n}" for n in FINAL_RUNS}
    return titles[column]


def last_run(records: "pd.DataFrame") -> int:
    """How many runs were made."""
    return int(records["run"].max())


def summarise(records: "pd.DataFrame") -> "pd.DataFrame":
    """One row for each suite, objective and policy; see `measures` for the columns.

    A unit whose policy failed counts in ``failed`` and in nothing else.
    """
    import pandas as pd

    rows = [
        dict(zip([*GROUP, "policy"], key, strict=True)) | measures(group)
        for key, group in records.groupby([*GROUP, "policy"], sort=True)
    ]
    return pd.DataFrame(rows)


def measures(records: "pd.DataFrame") -> dict[str, float]:
    """What one policy reached in one suite and objective.

    Regret is the true score of the chosen degree over the best allowed one's, minus 1. The early
    means are over runs 3-12, or as many of them as were made; another mean over runs that were not
    made, such as the last of 30 when there were 12, is NaN.

    Args:
        records: Of one suite, objective and policy.
    """
    failed = records[TASK][records["failed"]].drop_duplicates()
    good = whole_units(records)
    row = {
        "tasks": float(good["problem"].nunique()),
        "units": float(len(good[TASK].drop_duplicates())),
        "groups": float(good["problem"].map(program_of).nunique()),
        "failed": float(len(failed)),
        EARLY_REGRET: float(between(good, *EARLY)["regret"].mean()),
        LATER_REGRET: float(between(good, LATER, EARLY[1])["regret"].mean()),
        LONG_REGRET: _regret_over(good, *LONG),
    }
    row |= {
        name: _regret_over(good, n, n) for name, n in zip(FINAL_REGRETS, FINAL_RUNS, strict=True)
    }
    row[DECISION_MS] = 1000 * float(between(good, EARLY[0], None)["decision_s"].median())
    return row | deadline_measures(good)


def deadline_measures(records: "pd.DataFrame") -> dict[str, float]:
    """How often a deadline that can be held was missed, and what holding it cost.

    The miss rates count runs in which some degree holds the deadline at its confidence. The cost is
    the true score over that of the cheapest such degree, minus 1, over the runs in which the chosen
    degree was one of them.
    """
    possible = records[records["achievable"] == 1.0]
    early, late = between(possible, *EARLY), between(possible, *LATE)
    reached = not records.empty and last_run(records) >= LATE[1]
    return {
        MISS_RATE: float(early["missed"].mean()),
        LATE_MISS_RATE: float(late["missed"].mean()) if reached else float("nan"),
        COST: float(early["cost_ratio"].mean()) - 1,
        LATE_COST: float(late["cost_ratio"].mean()) - 1 if reached else float("nan"),
    }


def whole_units(records: "pd.DataFrame") -> "pd.DataFrame":
    """The records of units whose policy did not fail."""
    unit = [records[name] for name in (*GROUP, "policy", *TASK)]
    return records[~records["failed"].groupby(unit).transform("any").astype(bool)]


def between(records: "pd.DataFrame", first: int, last: int | None) -> "pd.DataFrame":
    """The records of runs `first` to `last`, both included."""
    wanted = records["run"] >= first
    return records[wanted if last is None else wanted & (records["run"] <= last)]


def has_deadline(records: "pd.DataFrame") -> bool:
    """Whether these records are about a deadline."""
    return bool(records["deadline_s"].notna().any())


def _regret_over(records: "pd.DataFrame", first: int, last: int) -> float:
    """The mean regret over these runs; NaN if there were not so many."""
    if records.empty or last_run(records) < last:
        return float("nan")
    return float(between(records, first, last)["regret"].mean())
