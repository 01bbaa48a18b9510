"""The page docs/benchmarks.md: what a run of the benchmark says, wins and losses alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo._format import format_time
from arbo_bo.benchmarks import analysis, choice, measures, report
from arbo_bo.benchmarks.analysis import Comparison
from arbo_bo.benchmarks.plots import plot_all
from arbo_bo.benchmarks.runner import known_policies
from arbo_bo.benchmarks.suites import default_runs
from arbo_bo.benchmarks.trial import EXPLANATION, agreement
from arbo_bo.experiment import Objective

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

Ax is its `Client` with its own defaults: the degree is an ordered choice, input size and load are
parameters that each run fixes at its own values, and the first two runs are its initialization. It
repeats no arm: once every degree was tried in a context, the best of them is taken.

T^2 x s is the square of T x s^0.5: both rank the degrees of a task alike, and a policy that
minimises a predicted mean chooses alike. What differs is how much a bad choice counts, and what a
policy that models the score itself makes of it. They are no two pieces of evidence: the sentence
below counts each suite once, with urgency a = 1 and cost exponent c = 0.5.
"""

MEASURED_WITH = """\
The measured tables are read from the folder that `ARBO_BENCH_DATA` names; `genome`, `synthetic` and
`quick` need none. `arbo bench compare`, `plot` and `explain` look further into the same folder, and
`arbo bench choose` says which of arbo's settings to take. `make bench-docs` makes this page again,
with the sections below the tables: a longer horizon, in which the means over runs 1-30 and the
regret at run 20 are known, a choice among arbo's settings, and an earlier trial of the peers.
"""


@dataclass(frozen=True)
class Part:
    """One folder of results.

    Attributes:
        records: Every record in it.
        header: What all of them share.
    """

    records: "pd.DataFrame"
    header: dict[str, Any]


def write_document(parts: Sequence[Part], path: Path, command: str) -> list[Path]:
    """Writes the page, and its pictures into ``images`` beside it.

    Args:
        parts: The benchmark, then others that have a section each, such as one of slow policies on
            fewer tasks.
        path: The page.
        command: What made it, to be named in it.

    Returns:
        Every file written, the page first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    main, *others = parts
    pictures = plot_all(main.records, path.parent / "images")
    sections = [
        INTRODUCTION,
        verdicts(main.records),
        "## How this was made\n\n" + provenance(main.header, command),
        "## Pictures\n\n" + "\n\n".join(_picture(p) for p in pictures),
        "## Tables\n\n" + report.tables(main.records, main.header),
        *(_further_section(part) for part in others),
    ]
    if notes := [*_absent_lines(parts), *(n for p in parts for n in report.note_lines(p.header))]:
        sections.append("## What was left out\n\n" + "\n".join(dict.fromkeys(notes)))
    path.write_text("\n\n".join(s.strip() for s in sections) + "\n", encoding="utf-8")
    return [path, *pictures]


def _further_section(part: Part) -> str:
    policies = ", ".join(sorted(part.records["policy"].unique()))
    title = f"## Beside it: {', '.join(part.header.get('suites', {}))}, with {policies}"
    made = f"{_code(run_commands(part.header))}\n\nIt took {_time(part.header)}."
    if chosen := _choice(part.records):
        return "\n\n".join((choice.TITLE, choice.EXPLANATION + made, chosen))
    compared = agreement(part.records)
    if compared:
        title, made = (
            "## The peers beside an earlier trial",
            f"{EXPLANATION}\n{made}\n\n{compared}",
        )
    return "\n\n".join((title, made, report.tables(part.records, part.header)))


def _choice(records: "pd.DataFrame") -> str:
    """What is chosen of several settings of arbo, if there are some and suites to choose on."""
    if records["suite"].nunique() < 2 or sum(map(analysis.is_arbo, records["policy"].unique())) < 3:
        return ""
    return choice.choice_tables(records, choice.candidates_of(records))


def verdicts(records: "pd.DataFrame", policy: str = analysis.REFERENCE) -> str:
    """What arbo wins, what it loses, and where nothing can be said, in plain sentences."""
    found = [
        (suite, objective, measures.last_run(part), analysis.compare_all(part, policy))
        for suite, objective, part in report.groups(records)
    ]
    against_best = [(s, o, last, c) for s, o, last, cs in found for c in cs if c.is_best_peer]
    if not against_best:
        return f"## {policy} against the best peer\n\nThere is no peer in this run."
    rows = [
        [
            *(suite, str(o), c.peer, measures.title(c.measure, last), str(c.groups)),
            *(report.interval(c.ratio), c.verdict),
        ]
        for suite, o, last, c in against_best
    ]
    titles = ["suite", "minimising", "best peer", "measure", "programs", f"{policy} / it", policy]
    lines = [
        _count_line(policy, _first_of_each([(s, o, c) for s, o, _, c in against_best])),
        report.markdown_table(titles, rows),
        *_loss_lines(policy, [(s, o, cs) for s, o, _, cs in found]),
        *_speed_line(policy, records),
    ]
    return f"## {policy} against the best peer of each suite\n\n" + "\n\n".join(lines)


def _first_of_each(against_best: Sequence[tuple[str, Objective, Comparison]]) -> list[Comparison]:
    """Each suite's main comparison with the lowest urgency: its objectives rank degrees alike."""
    ordered = sorted(against_best, key=lambda found: (found[0], found[1].urgency))
    mains = {suite: c for suite, _, c in reversed(ordered) if c.measure != measures.COST}
    return list(mains.values())


def _absent_lines(parts: Sequence[Part]) -> list[str]:
    """Which policies exist and were not run."""
    there = {p for part in parts for p in part.records["policy"].unique()}
    there |= {p for part in parts for p in part.header.get("skipped", {})}
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
    late = measures.between(records, measures.EARLY[0], None)
    medians = 1000 * late.groupby("policy")["decision_s"].median().sort_values()
    if policy not in medians:
        return []
    times = ", ".join(f"{name} {report.number(float(ms))}" for name, ms in medians.items())
    return [f"Median time of a decision over all suites [ms]: {times}."]


def _noun(comparison: Comparison) -> str:
    nouns = {measures.MISS_RATE: "miss rate", measures.COST: "cost over the cheapest"}
    return nouns.get(comparison.measure, "regret")


def run_commands(header: dict[str, Any]) -> list[str]:
    """What makes such a folder: one command for each number of runs that is not a default."""
    runs: dict[str, int] = header.get("runs", {})
    given: dict[int | None, list[str]] = {}
    for name, count in runs.items():
        given.setdefault(None if count == default_runs(name) else count, []).append(name)
    return [
        f"arbo bench run --suite {','.join(names)} --policies {','.join(header['policies'])} "
        f"--seeds {header.get('seeds')} --tasks {header.get('tasks')}"
        f"{'' if count is None else f' --runs {count}'} --out DIR"
        for count, names in given.items()
    ]


def provenance(header: dict[str, Any], command: str) -> str:
    """Machine, versions, date, seeds and the commands."""
    machine = header.get("machine", {})
    packages = ", ".join(f"{n} {v}" for n, v in machine.get("packages", {}).items())
    rows = [
        ["machine", f"{machine.get('processor')}, {machine.get('cores')} cores"],
        ["system", f"{machine.get('system')}, Python {machine.get('python')}"],
        ["versions", packages],
        ["date", str(machine.get("date"))],
        ["seeds", f"0 to {int(header.get('seeds', 1)) - 1}"],
        ["time in all", _time(header)],
    ]
    table = report.markdown_table(["what", "value"], rows)
    return f"{_code([*run_commands(header), command])}\n\n{table}\n\n{MEASURED_WITH}"


def _code(lines: Sequence[str]) -> str:
    return "\n".join(("```", *lines, "```"))


def _time(header: dict[str, Any]) -> str:
    return format_time(max(float(header.get("seconds", 0)), 1e-3))


def _picture(path: Path) -> str:
    kind, *objective = path.stem.split("-")
    a, c = (part[1:] for part in objective)
    title = "Regret of each run" if kind == "regret" else "Performance profiles"
    text = f"{title} with urgency a = {a} and cost exponent c = {c}"
    return f"![{text}](images/{path.name})"
