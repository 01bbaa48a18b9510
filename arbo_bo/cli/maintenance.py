"""``arbo export``, ``import`` and ``doctor``."""

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import click

from arbo_bo.cli import options, render
from arbo_bo.cli.completion import task_names
from arbo_bo.cli.files import write_file
from arbo_bo.cli.status_line import counted, counting
from arbo_bo.errors import InvalidValueError


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    CSV = "csv"


_form = click.option(
    "--format",
    "form",
    type=click.Choice([str(form) for form in Format]),
    help="jsonl: everything, exactly; csv: the trials.  [default: by the file's name, jsonl]",
)


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK]...", shell_complete=task_names)
@click.option("--all", "everything", is_flag=True, help="All tasks of the namespace.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to.  [default: stdout]",
)
@_form
@options.where
@options.json
def export(
    tasks: tuple[str, ...],
    everything: bool,
    output: Path | None,
    form: str | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Write tasks as JSON lines or CSV: trials, configuration and what was learned.

    The text is UTF-8. With --json, what was written to --output is said as JSON.
    """
    from arbo_bo.storage.export import export_csv, export_lines

    if bool(tasks) == everything:
        raise click.UsageError("give one task or more, or --all")
    if json and output is None:
        raise click.UsageError("--json goes with --output FILE: stdout is the export's own")
    write = export_csv if _format(form, output) is Format.CSV else export_lines
    names = None if everything else list(tasks)
    with counting("trials read") as told:
        lines = write(options.open_store(store, namespace), names, told)
        if output is None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")
            sys.stdout.writelines(lines)
            return None
        write_file(output, lines)
    if json:
        return render.print_json({"output": str(output)})
    return render.say(f"exported to {output}")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_form
@options.where
@options.json
def import_(file: Path, form: str | None, store: str | None, namespace: str, json: bool) -> None:
    """Take in what `arbo export` wrote, all or nothing.

    FILE is an export; - is stdin. JSON lines make new tasks, exactly as they were. CSV adds its
    trials to their tasks.
    """
    from arbo_bo.storage import SQLTrialStore
    from arbo_bo.storage.archive import import_csv, import_lines

    read = import_csv if _format(form, file) is Format.CSV else import_lines
    with _opened(file) as lines:
        tasks, trials = read(SQLTrialStore(store, namespace), lines)
    if json:
        return render.print_json({"tasks": tasks, "trials": trials})
    render.say(f"imported {trials} trials of {tasks} tasks")


@click.command()
@options.where
@options.json
def doctor(store: str | None, namespace: str, json: bool) -> None:
    """Say what is wrong with the store and what to do; status 1 if anything will fail."""
    from arbo_bo.service.diagnosis import Verdict, diagnose

    findings = diagnose(options.open_store(store, namespace))
    if json:
        render.print_json([vars(finding) for finding in findings])
    for finding in () if json else findings:
        print(f"{finding.verdict:8}{finding.check:10}{finding.message}")
        if finding.advice:
            print(f"{'':18}-> {finding.advice}")
    if any(finding.verdict is Verdict.ERROR for finding in findings):
        raise click.exceptions.Exit(1)


def _format(given: str | None, file: Path | None) -> Format:
    if given is not None:
        return Format(given)
    return Format.CSV if file is not None and file.suffix.lower() == ".csv" else Format.JSONL


@contextmanager
def _opened(file: Path) -> Iterator[Callable[[], Iterable[str]]]:
    """Yields what opens the text; a program's output is kept, for it cannot be read twice."""
    with tempfile.NamedTemporaryFile() as kept:
        source = file
        if str(file) == "-":
            shutil.copyfileobj(sys.stdin.buffer, kept)
            kept.flush()
            source = Path(kept.name)

        def lines() -> Iterator[str]:
            try:
                with source.open(newline="", encoding="utf-8-sig") as opened:
                    yield from counted(opened, "lines read")
            except OSError as err:
                raise InvalidValueError(f"{file} cannot be read: {err.strerror}") from err
            except UnicodeError as err:
                raise InvalidValueError(f"{file} cannot be read: {err}") from err

        yield lines
