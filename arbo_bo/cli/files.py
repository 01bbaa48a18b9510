"""Files that are there as a whole or not at all."""

import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from arbo_bo.errors import ArboError, InvalidValueError


def write_file(path: Path, lines: Iterable[str]) -> None:
    """Writes a text in UTF-8; a file of that name is replaced at the end, and keeps its mode.

    A new file has the mode that the umask leaves. What is no file, as /dev/stdout, is written to.

    Raises:
        InvalidValueError: The system refuses it.
    """
    try:
        target = path.resolve()  # a link stays one
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
        else:
            _replace(target, lines)
    except ArboError:  # of what makes the lines; some are OSErrors too
        raise
    except BrokenPipeError:
        raise
    except OSError as err:
        raise InvalidValueError(f"{path} cannot be written: {err.strerror}") from err


def _replace(target: Path, lines: Iterable[str]) -> None:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        # Not one of `tempfile`: those are for their owner alone.
        with part.open("x", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        with suppress(FileNotFoundError):
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
