"""Whether the peers do as well here as in an earlier trial of them."""

from typing import TYPE_CHECKING

from arbo_bo.benchmarks import measures, report
from arbo_bo.benchmarks.suites import TRIAL_SUITES

if TYPE_CHECKING:
    import pandas as pd

EXPECTED = {
    "trial-scout": {"ernest": 0.06, "online": 0.06, "gp-ei": 0.11},
    "trial-archer2": {"ernest": 0.8, "online": 0.15, "gp-ei": 0.85},
    "trial-stereomatch": {"ernest": 0.22, "online": 0.5, "gp-ei": 0.14},
    "trial-multicloud": {"ernest": 0.12, "online": 0.08, "gp-ei": 0.04},
}
"""Mean regret over runs 3-12 of 20 tasks a table, a = 1, c = 0.5, the first two runs at the
smallest and the middle degree."""

EXPLANATION = """\
The peers in the setting of an earlier, independent trial of them: 20 tasks a table, each of one
input size, a = 1, c = 0.5, the first two runs at the smallest and the middle degree. The tasks were
drawn anew, so that only the order of magnitude can agree. A ratio above 1 says that a peer does
worse here than it did there.

Most stay within a factor of two, and no peer does more than a third worse. On stereomatch all three
do better, the original algorithm by far. What the trial's did otherwise is not known. With a size
drawn for each run, ours has a regret of 0.13 on that table; its smoothed law alone, without the
residual process, 0.22; in addition without a limit on the exponent, and without skipping sizes near
the first one's (|ln gamma| < 0.1), 0.28. With the process neither matters: 0.13 without the limit,
0.15 without skipping.
"""


def agreement(records: "pd.DataFrame") -> str:
    """A Markdown table of measured means beside the trial's; empty where there is nothing of it."""
    rows = []
    for suite, _, part in report.groups(records):
        means = measures.summarise(part).set_index("policy")[measures.EARLY_REGRET]
        for policy, expected in EXPECTED.get(suite, {}).items():
            if policy in means:
                found = float(means[policy])
                cells = [report.number(v) for v in (found, expected, found / expected)]
                rows.append([TRIAL_SUITES[suite], policy, *cells])
    titles = ["table", "policy", "regret, runs 3-12", "in the trial", "ratio"]
    return report.markdown_table(titles, rows) if rows else ""
