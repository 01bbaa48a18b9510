"""``arbo export``, ``import`` and ``doctor``."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import click

from arbo_bo.cli import options, render
from arbo_bo.errors import ArboError, InvalidValueError


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
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option("--all", "everything", is_flag=True, help="All tasks of the namespace.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to.  [default: stdout]",
)
@_form
@options.where
def export(
    tasks: tuple[str, ...],
    everything: bool,
    output: Path | None,
    form: str | None,
    store: str | None,
    namespace: str,
) -> None:
    """Write tasks as JSON lines or CSV: trials, configuration and what was learned."""
    from arbo_bo.storage.archive import export_csv, export_lines

    if bool(tasks) == everything:
        raise click.UsageError("give one task or more, or --all")
    write = export_csv if _format(form, output) is Format.CSV else export_lines
    lines = write(options.open_store(store, namespace), None if everything else list(tasks))
    if output is None:
        sys.stdout.writelines(lines)
        return
    _write(output, lines)
    render.say(f"exported to {output}")


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
    tasks, trials = read(SQLTrialStore(store, namespace), _lines(file))
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


def _lines(file: Path) -> Callable[[], Iterable[str]]:
    """Opens the text; a program's output is kept, for it cannot be read twice."""
    if str(file) == "-":
        text = sys.stdin.readlines()
        return lambda: text

    def lines() -> Iterator[str]:
        try:
            with file.open(newline="", encoding="utf-8-sig") as opened:
                yield from opened
        except OSError as err:
            raise InvalidValueError(f"{file} cannot be read: {err.strerror}") from err
        except UnicodeError as err:
            raise InvalidValueError(f"{file} cannot be read: {err}") from err

    return lines


def _write(path: Path, lines: Iterable[str]) -> None:
    """Writes a file that is there as a whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as err:
        raise InvalidValueError(f"{path} cannot be written: {err.strerror}") from err
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        part.replace(path)
    except ArboError:  # the store's; some are OSErrors too
        raise
    except OSError as err:
        raise InvalidValueError(f"{path} cannot be written: {err.strerror}") from err
    finally:
        part.unlink(missing_ok=True)
