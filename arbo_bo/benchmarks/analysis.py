"""What the records say: pure functions on a frame of records."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arbo_bo.benchmarks.bootstrap import Interval, paired_intervals

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
REFERENCE = "arbo"
ORACLE = "oracle"
EARLY_REGRET = "regret, runs 3-12"
LATER_REGRET = "regret, runs 4-12"
"""Without the third run, in which Ernest still follows its design."""
MISS_RATE = "miss rate, runs 3-12"
TOO_FEW = "too few tasks to tell"
MIN_GROUPS = 6
"""With fewer programs nothing is said to win or to lose."""
DEADLINE = re.compile(r", deadline at [\d.]+ %$")
WRAPPED = re.compile(r" (x[\d.]+ from run \d+|with stragglers|under load|with more noise)$")
PARAMETERS = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True)
class Comparison:
    """One policy against one peer in one suite and objective.

    Attributes:
        policy: Ours.
        peer: Theirs.
        measure: What is compared: the mean regret, or the cost with a deadline.
        difference: Of the means, ours minus theirs.
        ratio: Of the means.
        units: How many tasks x seeds both finished.
        groups: How many programs these tasks are of.
        is_best_peer: Whether no other peer has a lower mean over the units that all share.
        has_failed: Whether the peer has units that failed; they are left out.
    """

    policy: str
    peer: str
    measure: str
    difference: Interval
    ratio: Interval
    units: int
    groups: int
    is_best_peer: bool
    has_failed: bool = False

    @property
    def verdict(self) -> str:
        """wins, loses, no clear difference at 95 %, or too few tasks to tell."""
        if self.groups < MIN_GROUPS:
            return TOO_FEW
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
        "groups": float(count_groups(good["problem"].unique())),
        "failed": float(len(failed)),
        EARLY_REGRET: regret_over(good, *EARLY),
        LATER_REGRET: regret_over(good, LATER, EARLY[1]),
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
        MISS_RATE: float(early["missed"].mean()),
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


def group_of(problem: str) -> str:
    """The program of a recorded problem: tasks of one program are alike, and resampled together.

    That is its name without deadline, wrapper, context (what follows " @ ") and parameters in
    parentheses at its end, such as the number of threads.

    >>> group_of("castep(4threads) @ ARCHER2,OFI, deadline at 25 %")
    'castep'
    """
    name = WRAPPED.sub("", DEADLINE.sub("", problem)).partition(" @ ")[0]
    return PARAMETERS.sub("", name) or problem


def count_groups(problems: Iterable[str]) -> int:
    """How many programs these problems are of."""
    return len({group_of(str(p)) for p in problems})


def failed_policies(records: "pd.DataFrame") -> set[str]:
    """Those with a failed unit: what is left of them may be the easy part, so none is ranked."""
    return {str(p) for p in records["policy"][records["failed"]].unique()}


def common_units(records: "pd.DataFrame", policies: Sequence[str]) -> "pd.DataFrame":
    """The records of the units that each of these policies has finished."""
    good = whole_units(records)
    good = good[good["policy"].isin(policies)]
    finished = good.groupby([*GROUP, *TASK])["policy"].transform("nunique")
    return good[finished == len(set(policies))]


def measured(records: "pd.DataFrame") -> "pd.DataFrame":
    """``value`` (regret or miss) of each run 3-12 by which policies are compared.

    Under a deadline policies are compared by their misses over the runs in which it can be held:
    one that misses is cheap for the wrong reason.
    """
    early = between(whole_units(records), *EARLY)
    if not has_deadline(records):
        return early.assign(value=early["regret"])
    possible = early[early["achievable"] == 1.0]
    return possible.assign(value=possible["missed"])


def has_deadline(records: "pd.DataFrame") -> bool:
    """Whether these records are about a deadline."""
    return bool(records["deadline_s"].notna().any())


def peers_of(policies: Sequence[str]) -> list[str]:
    """Every policy that is neither arbo itself, in any of its variants, nor the oracle."""
    return [p for p in policies if not is_arbo(p) and p != ORACLE]


def is_arbo(policy: str) -> bool:
    """Whether the policy is arbo, by any acquisition function and mean."""
    return policy == REFERENCE or policy.startswith((f"{REFERENCE}-", f"{REFERENCE}:"))


def ranked_peers(records: "pd.DataFrame", policy: str = REFERENCE) -> list[str]:
    """The peers whose units all ended well, best first, by the units that all of them share.

    Args:
        records: Of one suite and objective.
        policy: Whose side we are on; the units are its own too.
    """
    failed = failed_policies(records)
    runs = measured(records)
    ours = common_units(runs, [policy])
    here = ours.set_index(TASK).index
    near = runs[runs.set_index(TASK).index.isin(here)]
    peers = [p for p in peers_of(sorted(near["policy"].unique())) if p not in {policy, *failed}]
    means = common_units(near, [policy, *peers]).groupby("policy")["value"].mean().to_dict()
    return sorted((p for p in peers if p in means), key=lambda p: (means[p], p))


def compare(records: "pd.DataFrame", policy: str = REFERENCE, seed: int = 0) -> list[Comparison]:
    """One policy against each peer, paired by task and seed; the best peer first.

    A peer that shares no unit with the policy is left out. One with failed units comes last, is
    compared by those that it finished, and is never the best.

    Args:
        records: Of one suite and objective.
        policy: Whose side we are on.
        seed: Of the bootstrap.
    """
    runs = measured(records)
    ranked = ranked_peers(records, policy)
    others = [p for p in peers_of(sorted(runs["policy"].unique())) if p not in {policy, *ranked}]
    failed = failed_policies(records)
    measure = MISS_RATE if has_deadline(records) else EARLY_REGRET
    found = []
    for peer in [*ranked, *others]:
        both = common_units(runs, [policy, peer])
        if both.empty:
            continue
        by_group = both.groupby([both["problem"].map(group_of), "policy"])["value"]
        sums, counts = by_group.sum().unstack(), by_group.size().unstack()
        difference, ratio = paired_intervals(
            sums[policy].to_numpy(float),
            sums[peer].to_numpy(float),
            counts[policy].to_numpy(float),
            seed,
        )
        found.append(
            Comparison(
                policy,
                peer,
                measure,
                difference,
                ratio,
                units=len(both[TASK].drop_duplicates()),
                groups=len(sums),
                is_best_peer=peer in ranked[:1],
                has_failed=peer in failed,
            )
        )
    return found


def worst_tasks(records: "pd.DataFrame", policy: str = REFERENCE, count: int = 3) -> "pd.DataFrame":
    """The units in which a policy's mean regret over runs 3-12 is highest, worst first."""
    ours = between(whole_units(records[records["policy"] == policy]), *EARLY)
    means = ours.groupby([*GROUP, *TASK])["regret"].mean().reset_index()
    columns = ["regret", *GROUP, *TASK]
    ranked = means.sort_values(columns, ascending=[False, *[True] * 5], ignore_index=True)
    return ranked.head(count)
