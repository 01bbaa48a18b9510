"""Who wins: policies compared by the same tasks, seeds and runs. Pure functions on records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arbo_bo.benchmarks.bootstrap import Interval, paired_intervals
from arbo_bo.benchmarks.measures import (
    COST,
    EARLY,
    EARLY_REGRET,
    GROUP,
    MISS_RATE,
    TASK,
    between,
    has_deadline,
    whole_units,
)
from arbo_bo.benchmarks.problems import program_of

if TYPE_CHECKING:
    import pandas as pd

REFERENCE = "arbo"
ORACLE = "oracle"
TOO_FEW = "too few tasks to tell"
MIN_GROUPS = 6
"""With fewer programs nothing is said to win or to lose."""


@dataclass(frozen=True)
class Comparison:
    """One policy against one peer in one suite and objective.

    Attributes:
        policy: Ours.
        peer: Theirs.
        measure: What is compared, a column of `measures.summarise`.
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


def regret_by_task(records: "pd.DataFrame") -> "pd.DataFrame":
    """Mean early regret, ``(problem, seed) x policy``, of one suite and objective."""
    early = between(whole_units(records), *EARLY)
    return early.pivot_table("regret", TASK, "policy", aggfunc="mean")


def failed_policies(records: "pd.DataFrame") -> set[str]:
    """Those with a failed unit: what is left of them may be the easy part, so none is ranked."""
    return {str(p) for p in records["policy"][records["failed"]].unique()}


def common_units(records: "pd.DataFrame", policies: Sequence[str]) -> "pd.DataFrame":
    """The records of the units that each of these policies has finished."""
    good = whole_units(records)
    good = good[good["policy"].isin(policies)]
    finished = good.groupby([*GROUP, *TASK])["policy"].transform("nunique")
    return good[finished == len(set(policies))]


def main_measure(records: "pd.DataFrame") -> str:
    """By what policies are compared: regret, or misses where there is a deadline.

    One that misses its deadline is cheap for the wrong reason.
    """
    return MISS_RATE if has_deadline(records) else EARLY_REGRET


def measured(records: "pd.DataFrame", measure: str | None = None) -> "pd.DataFrame":
    """``value`` of each early run that the measure counts; None: the main one.

    Misses count over the runs in which the deadline can be held, cost over those of them in which
    the chosen degree holds it.
    """
    early = between(whole_units(records), *EARLY)
    measure = measure or main_measure(records)
    if measure == EARLY_REGRET:
        return early.assign(value=early["regret"])
    possible = early[early["achievable"] == 1.0]
    if measure == MISS_RATE:
        return possible.assign(value=possible["missed"])
    return possible.assign(value=possible["cost_ratio"] - 1).dropna(subset=["value"])


def peers_of(policies: Sequence[str]) -> list[str]:
    """Every policy that is neither arbo itself, in any of its variants, nor the oracle."""
    return [p for p in policies if not is_arbo(p) and p != ORACLE]


def is_arbo(policy: str) -> bool:
    """Whether the policy is arbo, by any acquisition function and mean."""
    return policy == REFERENCE or policy.startswith(f"{REFERENCE}:")


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


def compare(
    records: "pd.DataFrame", policy: str = REFERENCE, measure: str | None = None, seed: int = 0
) -> list[Comparison]:
    """One policy against each peer, paired by task and seed; the best peer first.

    A peer that shares no unit with the policy is left out. One with failed units comes last, is
    compared by those that it finished, and is never the best.

    Args:
        records: Of one suite and objective.
        policy: Whose side we are on.
        measure: What is compared; None: the main measure. Peers are ranked by that in any case.
        seed: Of the bootstrap.
    """
    measure = measure or main_measure(records)
    runs = measured(records, measure)
    ranked = ranked_peers(records, policy)
    there = peers_of(sorted(records["policy"].unique()))
    others = [p for p in there if p not in {policy, *ranked}]
    failed = failed_policies(records)
    found = []
    for peer in [*ranked, *others]:
        both = common_units(runs, [policy, peer])
        if both.empty:
            continue
        by_group = both.groupby([both["problem"].map(program_of), "policy"])["value"]
        sums, counts = by_group.sum().unstack(), by_group.size().unstack()
        difference, ratio = paired_intervals(
            sums[policy].to_numpy(float),
            sums[peer].to_numpy(float),
            counts[policy].to_numpy(float),
            seed,
            their_counts=counts[peer].to_numpy(float),
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


def compare_all(records: "pd.DataFrame", policy: str = REFERENCE) -> list[Comparison]:
    """By the main measure and, where there is a deadline, by the cost of holding it too."""
    costs = compare(records, policy, COST) if has_deadline(records) else []
    return [*compare(records, policy), *costs]


def worst_tasks(records: "pd.DataFrame", policy: str = REFERENCE, count: int = 3) -> "pd.DataFrame":
    """The units in which a policy did worst over the early runs, worst first.

    That is by mean regret; where there is a deadline by the rate of its misses, then by cost.

    Args:
        records: All of them with a deadline, or all without.
        policy: Whose.
        count: How many.
    """
    ours = records[records["policy"] == policy]
    unit = [*GROUP, *TASK]
    ranks = ["value"]
    means = measured(ours).groupby(unit)["value"].mean().to_frame()
    if has_deadline(ours):
        means = means.join(measured(ours, COST).groupby(unit)["value"].mean().rename("cost"))
        ranks = ["value", "cost"]
    columns = [*ranks, *unit]
    rising = [*[False] * len(ranks), *[True] * len(unit)]
    ordered = means.reset_index().sort_values(columns, ascending=rising, ignore_index=True)
    return ordered.head(count)
