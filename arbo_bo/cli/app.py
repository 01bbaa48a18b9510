"""Gathers the commands and turns errors into exit statuses."""

import os
import sys
from pathlib import Path

import typer

from arbo_bo.cli import bench, database, experiments, maintenance, trials, tuning
from arbo_bo.errors import ArboError

app = typer.Typer(
    name="arbo",
    help="Chooses the degree of parallelism for each run of a recurring job.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("tune")(tuning.tune)
for command in (
    experiments.configure,
    trials.suggest,
    trials.complete,
    trials.fail,
    trials.abandon,
    trials.attach,
    trials.exclude,
    experiments.rename,
    experiments.delete,
    experiments.predict,
    experiments.tasks,
    experiments.show,
):
    app.command(command.__name__)(command)
app.command("export")(maintenance.export)
app.command("import")(maintenance.import_)
app.command("doctor")(maintenance.doctor)
app.add_typer(database.app, name="db")
app.add_typer(bench.app, name="bench")


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    if version:
        from arbo_bo import __version__

        typer.echo(f"arbo_bo {__version__}")
        raise typer.Exit


def run(arguments: list[str]) -> int:
    """Runs the command line; see `arbo_bo.cli.main`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with the stream closed
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  to the process's end
    try:
        status = _status(arguments)
        sys.stdout.flush()
    except ArboError as err:
        print(f"arbo: error: {one_line(err)}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has gone, `| head` for one
        _discard_stdout()
        return 141
    except OSError as err:
        _discard_stdout()
        print(f"arbo: error: {_os_problem(err)}", file=sys.stderr)
        return 1
    return status


def _status(arguments: list[str]) -> int:
    try:
        app(arguments, prog_name="arbo")
    except SystemExit as err:
        return err.code if isinstance(err.code, int) else 0
    return 0


def _os_problem(err: OSError) -> str:
    """What the system refused; an open stream has no file's name."""
    if err.filename is None:
        return f"the output cannot be written: {one_line(err)}"
    return one_line(OSError(f"{err.filename}: {err.strerror}"))


def _discard_stdout() -> None:
    """Lets the interpreter flush what is left at its end without complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def one_line(err: Exception) -> str:
    """An error's message on one line, without what a terminal would obey."""
    text = " ".join(str(err).split())
    return "".join(ch if ch.isprintable() else "?" for ch in text) or type(err).__name__
