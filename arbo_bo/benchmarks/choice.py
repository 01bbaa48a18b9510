"""Which of arbo's configurations to take: chosen on all suites but one, judged on that one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arbo_bo.benchmarks import analysis, report
from arbo_bo.benchmarks.analysis import Comparison
from arbo_bo.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

NEGLIGIBLE = 0.01
"""Added to both sides of a ratio: a regret or a miss rate below 1 % is as good as another."""

TITLE = "## The choice among arbo's settings, one suite left out"
EXPLANATION = """\
Would another setting have been the better default? Each setting is scored on every suite against
the best peer there; then one is chosen on all suites but one, and judged on that one. `arbo` is the
default; the others are named by what they set.

"""


@dataclass(frozen=True)
class Choice:
    """One suite, and what is chosen without it.

    Attributes:
        suite: The suite that is left out.
        policy: The candidate with the lowest mean score on the others.
        score: Its score on the one left out, see `scores`.
        best: The best candidate there, in hindsight.
        best_score: Its score.
        comparison: The chosen one against the best peer there, in the objective of the lowest
            urgency; None: there is no peer.
    """

    suite: str
    policy: str
    score: float
    best: str
    best_score: float
    comparison: Comparison | None


def candidates_of(records: "pd.DataFrame", names: Sequence[str] = ()) -> list[str]:
    """The policies to choose from: those named, or every arbo of the records.

    One with a failed unit is none of them: what is left of it may be the easy part.

    Raises:
        InvalidValueError: The records lack one, or there are fewer than two.
    """
    there = sorted(str(p) for p in records["policy"].unique())
    if unknown := [name for name in names if name not in there]:
        raise InvalidValueError(
            f"the results hold no policy {', '.join(map(ascii, unknown))}; they hold "
            f"{', '.join(there)}"
        )
    failed = analysis.failed_policies(records)
    found = [p for p in names or filter(analysis.is_arbo, there) if p not in failed]
    if len(found) < 2:
        raise InvalidValueError(
            f"a choice needs two policies or more without failed units, got "
            f"{', '.join(found) or 'none'}; run several, such as --policies 'arbo,arbo:usl'"
        )
    return found


def scores(records: "pd.DataFrame", candidates: Sequence[str]) -> "pd.DataFrame":
    """log((m + 0.01) / (b + 0.01)), ``suite x candidate``; below 0 is better than the best peer.

    m is the candidate's mean of the suite's main measure (regret, or misses under a deadline), b
    that of the best peer, over the units that all of them finished; the mean over the suite's
    objectives.

    Raises:
        InvalidValueError: A suite has no peer.
    """
    import pandas as pd

    rows = []
    for suite, _, part in report.groups(records):
        failed = analysis.failed_policies(part)
        there = sorted(part["policy"].unique())
        peers = [p for p in analysis.peers_of(there) if p not in {*candidates, *failed}]
        if not peers:
            raise InvalidValueError(
                f"the suite {suite} has no peer to compare with; run some, such as --policies "
                "online,ernest,gp-ei"
            )
        shared = analysis.common_units(analysis.measured(part), [*candidates, *peers])
        means = shared.groupby("policy")["value"].mean()
        best = float(means[peers].min())
        ratios = {c: math.log((means[c] + NEGLIGIBLE) / (best + NEGLIGIBLE)) for c in candidates}
        rows.append({"suite": suite, **ratios})
    return pd.DataFrame(rows).groupby("suite").mean()


def leave_one_out(records: "pd.DataFrame", candidates: Sequence[str]) -> list[Choice]:
    """What each suite would be given if the choice were made on the others.

    Raises:
        InvalidValueError: There is one suite only, or one without a peer.
    """
    table = scores(records, candidates)
    if len(table) < 2:
        raise InvalidValueError(
            f"a choice that is judged on what it was not made on needs two suites or more, got "
            f"{', '.join(map(str, table.index))}"
        )
    found = []
    for suite in table.index:
        chosen = str(table.drop(suite).mean().idxmin())
        best = str(table.loc[suite].idxmin())
        (_, _, part) = next(g for g in report.groups(records) if g[0] == suite)
        against = [c for c in analysis.compare(part, chosen) if c.is_best_peer]
        found.append(
            Choice(
                str(suite),
                chosen,
                float(table.loc[suite, chosen]),
                best,
                float(table.loc[suite, best]),
                against[0] if against else None,
            )
        )
    return found


def choice_tables(records: "pd.DataFrame", candidates: Sequence[str]) -> str:
    """Both tables in Markdown: the scores, and what is chosen without each suite."""
    table = scores(records, candidates)
    order = table.mean().sort_values().index
    rows = [
        [str(name), *(f"{v:+.2f}" for v in table[name]), f"{table[name].mean():+.2f}"]
        for name in order
    ]
    shown = report.markdown_table(["policy", *map(str, table.index), "mean"], rows)
    chosen = [
        [
            *(c.suite, c.policy, f"{c.score:+.2f}", f"{c.best} ({c.best_score:+.2f})"),
            *(
                (c.comparison.peer, report.interval(c.comparison.ratio), c.comparison.verdict)
                if c.comparison
                else ("", "", "")
            ),
        ]
        for c in leave_one_out(records, candidates)
    ]
    titles = ["left out", "chosen on the others", "score", "best there", "best peer", "ratio", "it"]
    return (
        f"### Score against the best peer (log ratio: below 0 is better)\n\n{shown}\n\n"
        f"### Chosen without a suite, judged on it\n\n{report.markdown_table(titles, chosen)}"
    )
