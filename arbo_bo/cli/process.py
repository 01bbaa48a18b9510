"""One process of the command line: its streams, and how it ends."""

import atexit
import codecs
import gc
import io
import os
import signal
import sys
from pathlib import Path

import click

from arbo_bo.cli import INTERRUPTED
from arbo_bo.cli.app import app
from arbo_bo.errors import ArboError

PROGRAM = "arbo"
COMPLETION = "_ARBO_COMPLETE"
"""The variable by which a shell asks for completions."""
_ASCII = {"±": "+-", "…": "..."}


def run(arguments: list[str]) -> int:
    """Runs the command line; see `arbo_bo.cli.main`."""
    _prepare_streams()
    try:
        status = _invoke(arguments)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort, click.ClickException, ArboError, OSError) as err:
        return _failed(err)
    return status


def _invoke(arguments: list[str]) -> int:
    if instruction := os.environ.get(COMPLETION):
        import logging

        from click.shell_completion import shell_complete

        logging.disable()  # stderr is the prompt that is being typed at
        return shell_complete(app, {}, PROGRAM, COMPLETION, instruction)
    try:
        with app.make_context(PROGRAM, arguments) as context:
            app.invoke(context)
    except click.exceptions.Exit as err:
        return err.exit_code
    return 0


def _failed(err: BaseException) -> int:
    """Says what went wrong, in one line but for a usage error; returns the exit status."""
    if isinstance(err, click.ClickException):
        err.show()
        return err.exit_code
    text, status = "interrupted", INTERRUPTED
    if isinstance(err, ArboError):  # some are OSErrors too
        text, status = f"error: {one_line(err)}", 1
    elif isinstance(err, OSError):
        _discard_stdout()
        if isinstance(err, BrokenPipeError):  # who reads our output has had enough, as `| head`
            return 0
        text, status = f"error: {_os_problem(err)}", 1
    elif not isinstance(err.__context__ or err, KeyboardInterrupt):  # a question without an answer
        text, status = "nothing was done", 1
    print(f"{PROGRAM}: {text}", file=sys.stderr)
    return status


def _prepare_streams() -> None:
    """Opens streams that are closed, and keeps output from failing where it is not Unicode."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # started with the stream closed
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  to the process's end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_in_ascii.__name__)


def _in_ascii(err: UnicodeError) -> tuple[str | bytes, int]:
    """Writes a character that an encoding lacks with those that it has."""
    assert isinstance(err, UnicodeEncodeError)
    character, next_one = err.object[err.start], err.start + 1
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is no text
        return bytes([ord(character) - 0xDC00]), next_one
    return _ASCII.get(character) or ascii(character)[1:-1], next_one


def _os_problem(err: OSError) -> str:
    """Says what the system refused; an open stream has no file's name."""
    if err.filename is None:
        return f"the output cannot be written: {one_line(err)}"
    return one_line(OSError(f"{err.filename}: {err.strerror}"))


def _discard_stdout() -> None:
    """Lets the interpreter flush what is left at its end without complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def one_line(err: Exception) -> str:
    """Returns an error's message on one line, without what a terminal would obey."""
    text = " ".join(str(err).split())
    return "".join(ch if ch.isprintable() else "?" for ch in text) or type(err).__name__


def _leave() -> None:
    """Ends without ceremony: memory goes back as a whole, and Ctrl-C has nothing to interrupt."""
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


codecs.register_error(_in_ascii.__name__, _in_ascii)
atexit.register(_leave)
# A listing makes many values and no circles: looking for those took a tenth of its time.
gc.set_threshold(10_000, *gc.get_threshold()[1:])
