"""The page docs/benchmarks.md: what a run of the benchmark says, wins and losses alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks import analysis, report
from arbo_bo.benchmarks.analysis import Comparison
from arbo_bo.benchmarks.plots import plot_all
from arbo_bo.benchmarks.runner import known_policies
from arbo_bo.experiment import Objective
from arbo_bo.wording import format_time

if TYPE_CHECKING:
    import pandas as pd

INTRODUCTION = """\
# Benchmarks

Does arbo choose better degrees of parallelism than what people would use instead? Each problem is a
recurring task: in each run its context (input size, cluster load) is given and a policy chooses the
degree. Most tasks replay measured runs: the run's time is a randomly drawn repeat of the chosen
configuration. All policies see the same contexts, the same first two runs (the smallest and the
middle degree), and for the same choice the same time.

*Regret* is the true score (objective of the mean time) of the chosen degree over that of the best
allowed degree, minus 1: at 0.05 a run was 5 % worse than it could have been. Under a deadline
policies are compared by how often they missed it in runs in which some degree holds it with the
wanted confidence; *cost over the cheapest* is the score over that of the cheapest such degree, over
runs that chose one. Brackets hold 95 % intervals of a bootstrap paired by task and seed. It draws
whole programs: one program's deadlines, clouds, thread counts and seeds are alike, and count once.
Below 6 programs nothing is said to win or to lose. A policy with units that failed is compared by
those that it finished, and never taken as the best peer.

Two peers are not yet themselves in the first runs: Ernest's third run is a forced point of its
design, and the first ten runs of Optuna's TPE are random by its own default, so that over runs 3-12
it is mostly a random choice. The column *regret, runs 4-12* leaves the third run out for all.

T^2 x s is the square of T x s^0.5: both rank the degrees of a task alike, and a policy that
minimises a predicted mean chooses alike. What differs is how much a bad choice counts, and what a
policy that models the score itself makes of it. They are no two pieces of evidence: the sentence
below counts each suite once, with urgency a = 1 and cost exponent c = 0.5.
"""

MEASURED_WITH = """\
The measured tables are read from the folder that `ARBO_BENCH_DATA` names; `genome`, `synthetic` and
`quick` need none. `arbo bench compare`, `plot` and `explain` look further into the same folder.
"""


def write_document(
    records: "pd.DataFrame", header: dict[str, Any], path: Path, command: str
) -> list[Path]:
    """Writes the page, and its pictures into ``images`` beside it.

    Args:
        records: Of a benchmark.
        header: Of its folder.
        path: The page.
        command: What made it, to be named in it.

    Returns:
        Every file written, the page first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = plot_all(records, path.parent / "images")
    sections = [
        INTRODUCTION,
        verdicts(records),
        "## How this was made\n\n" + provenance(header, command),
        "## Pictures\n\n" + "\n\n".join(_picture(p) for p in pictures),
        "## Tables\n\n" + report.tables(records, header),
    ]
    if notes := [*_absent_lines(records, header), *report.note_lines(header)]:
        sections.append("## What was left out\n\n" + "\n".join(notes))
    path.write_text("\n\n".join(s.strip() for s in sections) + "\n", encoding="utf-8")
    return [path, *pictures]


def verdicts(records: "pd.DataFrame", policy: str = analysis.REFERENCE) -> str:
    """What arbo wins, what it loses, and where nothing can be said, in plain sentences."""
    found = [
        (suite, objective, analysis.compare(part, policy))
        for suite, objective, part in report.groups(records)
    ]
    against_best = [(s, o, c) for s, o, cs in found for c in cs if c.is_best_peer]
    if not against_best:
        return f"## {policy} against the best peer\n\nThere is no peer in this run."
    rows = [
        [suite, str(o), c.peer, c.measure, str(c.groups), report.interval(c.ratio), c.verdict]
        for suite, o, c in against_best
    ]
    titles = ["suite", "minimising", "best peer", "measure", "programs", f"{policy} / it", policy]
    lines = [
        _count_line(policy, list(_first_of_each(against_best).values())),
        report.markdown_table(titles, rows),
        *_loss_lines(policy, found),
        *_speed_line(policy, records),
    ]
    return f"## {policy} against the best peer of each suite\n\n" + "\n\n".join(lines)


def _first_of_each(
    against_best: Sequence[tuple[str, Objective, Comparison]],
) -> dict[str, Comparison]:
    """Each suite's comparison with the lowest urgency: its objectives rank the degrees alike."""
    ordered = sorted(against_best, key=lambda found: (found[0], found[1].urgency))
    return {suite: c for suite, _, c in reversed(ordered)}


def _absent_lines(records: "pd.DataFrame", header: dict[str, Any]) -> list[str]:
    """Which policies exist and were not run."""
    there = {*records["policy"].unique(), *header.get("skipped", {})}
    return [f"- the policy {name} was not run" for name in known_policies() if name not in there]


def _count_line(policy: str, comparisons: Sequence[Comparison]) -> str:
    verdicts_of = ("wins", "loses", analysis.TOO_FEW)
    counts = {v: sum(c.verdict == v for c in comparisons) for v in verdicts_of}
    open_cases = len(comparisons) - sum(counts.values())
    return (
        f"Of {len(comparisons)} suites {policy} wins {counts['wins']} against the best peer, loses "
        f"{counts['loses']}, in {open_cases} the 95 % interval of the difference holds 0, and "
        f"{counts[analysis.TOO_FEW]} have too few tasks to tell. The two objectives rank degrees "
        "alike and are counted once (a = 1, c = 0.5). The best peer is picked in hindsight, for "
        "each suite anew."
    )


def _loss_lines(policy: str, found: Sequence[tuple[str, Objective, list[Comparison]]]) -> list[str]:
    lost = [
        f"- {suite}, {objective}: against {', '.join(c.peer for c in cs if c.verdict == 'loses')}"
        for suite, objective, cs in found
        if any(c.verdict == "loses" for c in cs)
    ]
    behind = [
        f"- {suite}, {objective}: {c.ratio.estimate:.2f} times the {_noun(c)} of {c.peer}"
        for suite, objective, cs in found
        for c in cs
        if c.verdict not in ("wins", "loses") and c.difference.estimate > 0
    ]
    parts = [f"{policy} loses clearly to no peer in this run."]
    if lost:
        text = f"What {policy} loses clearly (the interval of the difference is above 0):"
        parts = [text + "\n\n" + "\n".join(lost)]
    if behind:
        text = f"Where {policy} is behind a peer, and nothing is certain:"
        parts.append(text + "\n\n" + "\n".join(behind))
    return parts


def _speed_line(policy: str, records: "pd.DataFrame") -> list[str]:
    """How long a decision takes, of every policy: arbo's is not the quickest."""
    late = analysis.between(records, analysis.EARLY[0], None)
    medians = 1000 * late.groupby("policy")["decision_s"].median().sort_values()
    if policy not in medians:
        return []
    times = ", ".join(f"{name} {report.number(float(ms))}" for name, ms in medians.items())
    return [f"Median time of a decision over all suites [ms]: {times}."]


def _noun(comparison: Comparison) -> str:
    return "miss rate" if comparison.measure.startswith("miss") else "regret"


def provenance(header: dict[str, Any], command: str) -> str:
    """Machine, versions, date, seeds and the commands."""
    machine = header.get("machine", {})
    packages = ", ".join(f"{n} {v}" for n, v in machine.get("packages", {}).items())
    suites = ",".join(header.get("suites", {}))
    policies = ",".join(header.get("policies", []))
    run = (
        f"arbo bench run --suite {suites} --policies {policies} --seeds {header.get('seeds')} "
        f"--runs {header.get('runs')} --tasks {header.get('tasks')} --out DIR"
    )
    rows = [
        ["machine", f"{machine.get('processor')}, {machine.get('cores')} cores"],
        ["system", f"{machine.get('system')}, Python {machine.get('python')}"],
        ["versions", packages],
        ["date", str(machine.get("date"))],
        ["seeds", f"0 to {int(header.get('seeds', 1)) - 1}"],
        ["time in all", format_time(max(float(header.get("seconds", 0)), 1e-3))],
    ]
    table = report.markdown_table(["what", "value"], rows)
    return f"```\n{run}\n{command}\n```\n\n{table}\n\n{MEASURED_WITH}"


def _picture(path: Path) -> str:
    kind, *objective = path.stem.split("-")
    a, c = (part[1:] for part in objective)
    title = "Regret of each run" if kind == "regret" else "Performance profiles"
    text = f"{title} with urgency a = {a} and cost exponent c = {c}"
    return f"![{text}](images/{path.name})"
