"""Where the output of a stage's processes goes."""

import os
import selectors
import subprocess
import sys
import threading
from contextlib import suppress

TAIL_BYTES = 4096
TAIL_LINES = 20
_BLOCK_BYTES = 1 << 16


class Tail:
    """The end of what one process writes to a pipe.

    Attributes:
        descriptor: The pipe's end to read from.
    """

    def __init__(self, descriptor: int, show: bool) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._show = show
        self._kept, self._is_cut = bytearray(), False
        self._unshown = bytearray()
        self._lock = threading.Lock()
        self._has_ended = False

    def pull(self) -> bool:
        """Reads what is there; False once the last writer has ended.

        Any thread may; after the end the descriptor is not touched, and may be closed.
        """
        with self._lock:
            while not self._has_ended:
                try:
                    block = os.read(self.descriptor, _BLOCK_BYTES)
                except BlockingIOError:
                    return True
                self._has_ended = not block
                self._take(block)
            return False

    def show_rest(self) -> None:
        """Shows a last line without an end."""
        with self._lock:
            _show(self._unshown)
            self._unshown.clear()

    def text(self) -> str:
        """Returns the last lines, at most 20 of them from the last 4 KiB."""
        with self._lock:
            lines = self._kept.decode(errors="replace").splitlines(keepends=True)
            if self._is_cut and len(lines) > 1:
                del lines[0]
        return "".join(lines[-TAIL_LINES:])

    def _take(self, block: bytes) -> None:
        self._kept += block
        if len(self._kept) > TAIL_BYTES:
            del self._kept[:-TAIL_BYTES]
            self._is_cut = True
        if self._show:
            self._unshown += block
            # Whole lines: those of other chunks come in between.
            end = (
                self._unshown.rfind(b"\n") + 1 or len(self._unshown) // _BLOCK_BYTES * _BLOCK_BYTES
            )
            _show(self._unshown[:end])
            del self._unshown[:end]


class Tails:
    """Reads the stderr of a stage's processes as it comes, in a thread, and keeps the end of each.

    So a process is never held up for long, and what it writes takes no more room than its tail.

    Args:
        show: Whether what comes is shown on this process's stderr.
    """

    def __init__(self, show: bool) -> None:
        self._show = show
        self._tails: dict[int, Tail] = {}
        self._new: list[Tail] = []
        self._wake_reader, self._wake_writer = os.pipe()
        self._thread = threading.Thread(target=self._read, name="arbo-stderr", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # there are too many threads
            os.close(self._wake_reader)
            os.close(self._wake_writer)
            raise

    def writer(self, chunk_id: int) -> int:
        """Opens a pipe for one process; the caller closes the end that is returned.

        Raises:
            OSError: There are too many open files.
        """
        reader, writer = os.pipe()
        self._tails[chunk_id] = tail = Tail(reader, self._show)
        self._new.append(tail)
        os.write(self._wake_writer, b"+")
        return writer

    def text(self, chunk_id: int) -> str:
        """Returns the last lines of one process, all that it has written until now regarded."""
        tail = self._tails.get(chunk_id)
        if tail is None:
            return ""
        tail.pull()
        return tail.text()

    def close(self) -> None:
        """Reads what is there; what the background writes later is read and thrown away."""
        are_writing = [tail.pull() for tail in self._tails.values()]
        if self._show:
            for tail in self._tails.values():
                tail.show_rest()
        os.close(self._wake_writer)
        if not any(are_writing):
            self._thread.join()

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    if key.data is None:
                        goes_on = os.read(key.fd, _BLOCK_BYTES)
                        while self._new:
                            tail = self._new.pop()
                            selector.register(tail.descriptor, selectors.EVENT_READ, tail)
                    else:
                        goes_on = key.data.pull()
                    if not goes_on:
                        selector.unregister(key.fd)
                        os.close(key.fd)


def shown_stdout() -> int:
    """Returns the descriptor for the stdout of processes whose output is to be seen.

    It is this process's stderr: its stdout belongs to what the program itself has to say.
    """
    return subprocess.DEVNULL if sys.__stderr__ is None else sys.__stderr__.fileno()


def _show(text: bytes | bytearray) -> None:
    """Writes to this process's stderr; one that takes nothing is no error."""
    if sys.__stderr__ is None or not text:
        return
    with suppress(OSError, ValueError):
        sys.__stderr__.flush()
        with open(sys.__stderr__.fileno(), "wb", closefd=False) as stderr:
            stderr.write(text)
