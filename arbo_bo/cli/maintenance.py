"""``arbo export``, ``import`` and ``doctor``."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from arbo_bo.cli import options, render
from arbo_bo.errors import ArboError, InvalidValueError
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    CSV = "csv"


FileFormat = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="jsonl: everything, exactly; csv: the trials.  [default: by the file's name, jsonl]",
        show_default=False,
    ),
]


def export(
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="TASK...", help="Tasks.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All tasks of the namespace.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to.  [default: stdout]")
    ] = None,
    form: FileFormat = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
) -> None:
    """Write tasks as JSON lines or CSV: trials, configuration and what was learned."""
    from arbo_bo.storage.archive import export_csv, export_lines

    if bool(tasks) == everything:
        raise typer.BadParameter("give one task or more, or --all")
    write = export_csv if _format(form, output) is Format.CSV else export_lines
    lines = write(options.open_store(store, namespace), None if everything else tasks)
    if output is None:
        sys.stdout.writelines(lines)
        return
    _write(output, lines)
    render.stderr().print(f"exported to {output}", markup=False)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export; - is stdin.")],
    form: FileFormat = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Take in what `arbo export` wrote, all or nothing.

    JSON lines make new tasks, exactly as they were. CSV adds its trials to their tasks.
    """
    from arbo_bo.storage import SQLTrialStore
    from arbo_bo.storage.archive import import_csv, import_lines

    read = import_csv if _format(form, file) is Format.CSV else import_lines
    tasks, trials = read(SQLTrialStore(store, namespace), _lines(file))
    if json:
        return render.print_json({"tasks": tasks, "trials": trials})
    render.stderr().print(f"imported {trials} trials of {tasks} tasks", markup=False)


def doctor(
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Say what is wrong with the store and what to do; status 1 if anything will fail."""
    from arbo_bo.service.diagnosis import Verdict, diagnose

    findings = diagnose(options.open_store(store, namespace))
    if json:
        render.print_json([vars(finding) for finding in findings])
    for finding in () if json else findings:
        text = f"{finding.verdict:8}{finding.check:10}{finding.message}"
        render.stdout().print(text, markup=False)
        if finding.advice:
            render.stdout().print(f"{'':18}-> {finding.advice}", markup=False)
    if any(finding.verdict is Verdict.ERROR for finding in findings):
        raise typer.Exit(1)


def _format(given: Format | None, file: Path | None) -> Format:
    if given is not None:
        return given
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
