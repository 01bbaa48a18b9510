"""What the records say: pure functions on a frame of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arbo_bo.benchmarks.bootstrap import Interval, paired_intervals

if TYPE_CHECKING:
    import pandas as pd

GROUP = ["suite", "urgency", "cost_exponent"]
TASK = ["problem", "seed"]
EARLY = (3, 12)
LONG = (1, 30)
LATE = (8, 40)
"""Runs over which a deadline's misses are counted once there are so many."""
FINAL_RUNS = (5, 10, 20)
REFERENCE = "arbo"
ORACLE = "oracle"
EARLY_REGRET = "regret, runs 3-12"


@dataclass(frozen=True)
class Comparison:
    """One policy against one peer in one suite and objective.

    Attributes:
        policy: Ours.
        peer: Theirs.
        measure: What is compared: the mean regret, or the cost with a deadline.
        difference: Of the means, ours minus theirs.
        ratio: Of the means.
        tasks: How many tasks both finished.
        is_best_peer: Whether no other peer has a lower mean.
    """

    policy: str
    peer: str
    measure: str
    difference: Interval
    ratio: Interval
    tasks: int
    is_best_peer: bool

    @property
    def verdict(self) -> str:
        """wins, loses, or no clear difference at 95 %."""
        if self.difference.high < 0:
            return "wins"
        if self.difference.low > 0:
            return "loses"
        return "no clear difference"


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

    Regret is the true score of the chosen degree over the best allowed one's, minus 1. A mean over
    runs that were not made, such as the last of 30 when there were 12, is NaN.

    Args:
        records: Of one suite, objective and policy.
    """
    failed = records[TASK][records["failed"]].drop_duplicates()
    good = whole_units(records)
    row = {
        "tasks": float(good["problem"].nunique()),
        "units": float(len(good[TASK].drop_duplicates())),
        "failed": float(len(failed)),
        EARLY_REGRET: regret_over(good, *EARLY),
        "regret, runs 1-30": regret_over(good, *LONG),
    }
    row |= {f"regret at {n}": regret_over(good, n, n) for n in FINAL_RUNS}
    row["decision_ms"] = 1000 * float(between(good, EARLY[0], None)["decision_s"].median())
    return row | deadline_measures(good)


def deadline_measures(records: "pd.DataFrame") -> dict[str, float]:
    """How often a deadline that can be held was missed, and what holding it cost.

    The miss rates count runs in which some degree holds the deadline at its confidence. The cost is
    the true score over that of the cheapest such degree, minus 1, over the runs in which the chosen
    degree was one of them.
    """
    possible = records[records["achievable"] == 1.0]
    early, late = between(possible, *EARLY), between(possible, *LATE)
    reached = not records.empty and records["run"].max() >= LATE[1]
    return {
        "miss rate, runs 3-12": float(early["missed"].mean()),
        "miss rate, runs 8-40": float(late["missed"].mean()) if reached else float("nan"),
        "cost over the cheapest": float(early["cost_ratio"].mean()) - 1,
    }


def whole_units(records: "pd.DataFrame") -> "pd.DataFrame":
    """The records of units whose policy did not fail."""
    unit = [records[name] for name in (*GROUP, "policy", *TASK)]
    return records[~records["failed"].groupby(unit).transform("any").astype(bool)]


def between(records: "pd.DataFrame", first: int, last: int | None) -> "pd.DataFrame":
    """The records of runs `first` to `last`, both included."""
    wanted = records["run"] >= first
    return records[wanted if last is None else wanted & (records["run"] <= last)]


def regret_over(records: "pd.DataFrame", first: int, last: int) -> float:
    """The mean regret over these runs; NaN if there were not so many."""
    if records.empty or records["run"].max() < last:
        return float("nan")
    return float(between(records, first, last)["regret"].mean())


def regret_by_task(records: "pd.DataFrame") -> "pd.DataFrame":
    """Mean regret over runs 3-12, ``(problem, seed) x policy``, of one suite and objective."""
    early = between(whole_units(records), *EARLY)
    return early.pivot_table("regret", TASK, "policy", aggfunc="mean")


def misses_by_task(records: "pd.DataFrame") -> "pd.DataFrame":
    """Rate of misses over runs 3-12 where the deadline can be held, ``(problem, seed) x policy``.

    Under a deadline policies are compared by it: one that misses is cheap for the wrong reason.
    """
    early = between(whole_units(records), *EARLY)
    possible = early[early["achievable"] == 1.0]
    return possible.pivot_table("missed", TASK, "policy", aggfunc="mean")


def has_deadline(records: "pd.DataFrame") -> bool:
    """Whether these records are about a deadline."""
    return bool(records["deadline_s"].notna().any())


def peers_of(policies: Sequence[str]) -> list[str]:
    """Every policy that is neither arbo itself, in any of its variants, nor the oracle."""
    return [p for p in policies if not is_arbo(p) and p != ORACLE]


def is_arbo(policy: str) -> bool:
    """Whether the policy is arbo, by any acquisition function and mean."""
    return policy == REFERENCE or policy.startswith((f"{REFERENCE}-", f"{REFERENCE}:"))


def compare(records: "pd.DataFrame", policy: str = REFERENCE, seed: int = 0) -> list[Comparison]:
    """One policy against each peer, paired by task and seed; the best peer first.

    Args:
        records: Of one suite and objective.
        policy: Whose side we are on.
        seed: Of the bootstrap.
    """
    deadline = has_deadline(records)
    table = misses_by_task(records) if deadline else regret_by_task(records)
    if policy not in table:
        return []
    peers = [p for p in peers_of(list(table.columns)) if p != policy]
    means = table.mean().to_dict()
    ranked = sorted(peers, key=lambda p: (means[p], p))
    found = []
    for peer in ranked:
        both = table[[policy, peer]].dropna()
        ours = both[policy].unstack("seed").to_numpy(float)
        theirs = both[peer].unstack("seed").to_numpy(float)
        difference, ratio = paired_intervals(ours, theirs, seed)
        measure = "miss rate, runs 3-12" if deadline else EARLY_REGRET
        found.append(
            Comparison(policy, peer, measure, difference, ratio, len(ours), peer == ranked[0])
        )
    return found


def worst_tasks(records: "pd.DataFrame", policy: str = REFERENCE, count: int = 3) -> "pd.DataFrame":
    """The units in which a policy's mean regret over runs 3-12 is highest, worst first."""
    ours = between(whole_units(records[records["policy"] == policy]), *EARLY)
    means = ours.groupby([*GROUP, *TASK])["regret"].mean().reset_index()
    columns = ["regret", *GROUP, *TASK]
    ranked = means.sort_values(columns, ascending=[False, *[True] * 5], ignore_index=True)
    return ranked.head(count)
