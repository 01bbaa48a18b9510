"""Views as one HTML page: no script, no request, whatever a task's name or a reason holds.

Its content security policy allows the page's own style sheet, by its digest, and nothing else.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape

from arbo_bo._format import format_time
from arbo_bo.experiment import Trial, TrialStatus
from arbo_bo.report.savings import Saving, TaskSavings
from arbo_bo.report.tasks import TaskView, slowdown

STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
html { background: light-dark(#fff, #121212); color: light-dark(#111, #eee); }
body { margin: 0 auto; max-width: 84rem; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8886; }
th, td { white-space: nowrap; vertical-align: top; }
th:first-child, .text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.text { display: block; width: 24rem; }
th[scope=row] { min-width: 4rem; }
svg { width: 100%; max-width: 40rem; height: 6rem; }
.took { fill: light-dark(#0b57a4, #8ab8f0); }
.failed { fill: light-dark(#b3261e, #f2938c); }
.expected { fill: none; stroke: currentColor; stroke-dasharray: 4 3; }
a { color: light-dark(#0b57a4, #8ab8f0); }
@media print { section { break-inside: avoid; } }
"""
DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{DIGEST}'; base-uri 'none'; form-action 'none'"
WIDTH, HEIGHT = 400.0, 60.0
LONGEST_REASON = 300


def page(views: Sequence[TaskView], saved: Sequence[TaskSavings], made_at: datetime) -> str:
    """The page.

    Args:
        views: The tasks, in the order of the list.
        saved: What they saved.
        made_at: When the views were read, with a time zone.
    """
    sections = "".join(_section(number, view) for number, view in enumerate(views))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>arbo: {len(views)} tasks</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Tasks</h1><p>As of {made_at:%Y-%m-%d %H:%M %Z}.</p>{_list(views)}"
        f"<h2>Savings</h2>{_savings(saved)}{sections}</main></body></html>\n"
    )


def _table(name: str, titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already; the first cell of a row names it."""
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "".join(_row(*row) for row in rows)
    # A region that scrolls has a name and can be reached by keyboard.
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(name)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(first: str, *others: str) -> str:
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{o}</td>" for o in others) + "</tr>"


def _list(views: Sequence[TaskView]) -> str:
    if not views:
        return "<p>There is no task yet.</p>"
    titles = ("Task", "Runs", "Last run", "Workers", "Took", "Expected", "Took / expected", "State")
    return _table("Tasks", titles, (_of_task(n, view) for n, view in enumerate(views)))


def _of_task(number: int, view: TaskView) -> Iterator[str]:
    yield f'<a href="#task-{number}">{_text(view.experiment.name)}</a>'
    yield str(view.experiment.model.sample_count)
    last = view.last
    yield _moment(view.last_moment)
    yield from ("-",) * 5 if last is None else _of_run(last)


def _of_run(trial: Trial) -> Iterator[str]:
    ratio = slowdown(trial)
    yield str(trial.parallelism)
    yield _time(trial.execution_time_s)
    yield _time(trial.predicted_time_s)
    yield "-" if ratio is None else f"{ratio:.2f}"
    yield str(trial.status).lower()


def _savings(saved: Sequence[TaskSavings]) -> str:
    if not saved:
        return "<p>No completed run that arbo chose; nothing to compare.</p>"
    titles = ("Task", "Default", "Runs", "Hours", "Worker-hours", "Money", "Kind")
    rows = (
        (
            _text(each.task),
            str(each.default_parallelism),
            str(each.runs),
            _banded(each.hours),
            _banded(each.worker_hours),
            "-" if each.money is None else _banded(each.money),
            "would have" if each.would_have else "saved",
        )
        for each in saved
    )
    words = "<p>Against the default degree; 5 % to 95 % in brackets; below 0: lost.</p>"
    return words + _table("Savings", titles, rows)


def _section(number: int, view: TaskView) -> str:
    name = view.experiment.name
    titles = (
        "Run",
        "Ended",
        "Workers",
        "Took",
        "Expected",
        "Took / expected",
        "State",
        '<span class="text">Why</span>',
    )
    rows = (
        (str(t.trial_index), _moment(t.finished_at), *_of_run(t), _reason(t))
        for t in reversed(view.trials)
    )
    table = _table(f"Runs of {_plain(name)}", titles, rows)
    return f'<section id="task-{number}"><h2>{_text(name)}</h2>{_chart(view)}{table}</section>'


def _reason(trial: Trial) -> str:
    why = trial.failure_reason or trial.exclusion_reason or trial.reason or ""
    short = why if len(why) <= LONGEST_REASON else why[: LONGEST_REASON - 1] + "…"
    return f'<span class="text">{_text(short)}</span>'


def _chart(view: TaskView) -> str:
    """A bar for each run's time, failed ones red and low, and what was expected as a line."""
    trials = view.trials
    times = [t.execution_time_s or 0.0 for t in trials]
    most = max([*times, *(t.predicted_time_s or 0.0 for t in trials)], default=0.0)
    if not most:
        return ""
    wide, bars, line = WIDTH / len(trials), [], []
    for i, trial in enumerate(trials):
        failed = trial.status is TrialStatus.FAILED
        high = max(HEIGHT * times[i] / most, 3.0 if failed else 0.0)
        told = f"run {trial.trial_index}: {_time(trial.execution_time_s)}, {trial.status.lower()}"
        bars.append(
            f'<rect class="{"failed" if failed else "took"}" x="{i * wide:.1f}" '
            f'y="{HEIGHT - high:.1f}" width="{wide * 0.8:.1f}" height="{high:.1f}">'
            f"<title>{told}</title></rect>"
        )
        if trial.predicted_time_s:
            y = HEIGHT * (1 - trial.predicted_time_s / most)
            line.append(f"{(i + 0.4) * wide:.1f},{y:.1f}")
    label = escape(f"Time of the newest runs of {_plain(view.experiment.name)}, expected dashed")
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'preserveAspectRatio="none">{"".join(bars)}'
        f'<polyline class="expected" points="{" ".join(line)}"/></svg>'
    )


def _plain(text: str) -> str:
    """Foreign text without a terminal's codes and other control characters."""
    return "".join(ch if ch.isprintable() or ch == " " else "�" for ch in text)


def _text(text: str) -> str:
    return escape(_plain(text))


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else format_time(seconds)


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _banded(saving: Saving) -> str:
    return f"{saving.mean:.3g} ({saving.low:.3g} to {saving.high:.3g})"
