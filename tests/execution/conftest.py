"""Fixtures to see what real processes did, without waiting for a time to pass."""

import os
import select
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WAIT_S = 20
"""How long a test waits for what must happen, before it fails."""

HOLD = 'exec 9>"$LIFELINE"; echo >&9; '
"""Shell: take hold of the lifeline, until the process and all that it started have ended."""


class Lifeline:
    """A named pipe that processes hold open for as long as they, or what they started, live.

    A script takes hold of it with `HOLD`.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def count_until_all_ended(self) -> int:
        """Returns how many processes have taken hold of it, once none holds it any more."""
        count = 0
        while True:
            readable, _, _ = select.select([self._descriptor], [], [], WAIT_S)
            assert readable, "a process still lives"
            block = os.read(self._descriptor, 4096)
            if not block:
                return count
            count += len(block)

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.fixture
def lifeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lifeline]:
    line = Lifeline(tmp_path / "lifeline")
    monkeypatch.setenv("LIFELINE", str(line.path))
    yield line
    line.close()


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe, ``$READY``, through which one process of a stage waits for another.

    The one that waits opens it with ``exec 8<>"$READY"; read line <&8``.
    """
    path = tmp_path / "ready"
    os.mkfifo(path)
    monkeypatch.setenv("READY", str(path))


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, text: str, *, executable: bool = True) -> Path:
        path = tmp_path / name
        path.write_text(text)
        if executable:
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write
