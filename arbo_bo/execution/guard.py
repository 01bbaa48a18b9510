"""Ends the processes of a run where the process that watches over them dies."""

import subprocess
import uuid
from contextlib import suppress

# It reads the mark of a run, then the numbers of processes, those of groups with a minus, until
# "done". Where the other end is gone without that, it ends them, and what else has the mark: a
# process may have begun in the moment before its number was told.
_SCRIPT = """
trap '' HUP INT QUIT TERM
read -r mark
set --
while read -r word; do
  case $word in
    done) exit ;;
    *) set -- "$@" "$word" ;;
  esac
done
end() {
  kill -s "$@"
  for path in $(grep -lsF "$mark" /proc/[0-9]*/environ); do
    path=${path%/environ}
    kill -s "$1" "${path#/proc/}"
  done
}
end TERM "$@"
sleep "$GRACE"
end KILL "$@"
"""


class Guard:
    """A small process that outlives this one, should this one be killed.

    It is a shell, since that starts in a millisecond, in a session of its own, which neither a
    terminal's signals nor those to this process's group reach.

    Args:
        grace_s: Time between SIGTERM and SIGKILL.

    Attributes:
        mark: An environment variable that every process of the run is to have, and its value.
    """

    def __init__(self, grace_s: float) -> None:
        self.mark = ("ARBO_STAGE_ID", str(uuid.uuid4()))
        self._grace_s = grace_s
        self._shell: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; where that cannot be, the run goes on without."""
        with suppress(OSError):
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"GRACE": f"{self._grace_s:g}", "PATH": "/usr/bin:/bin"},
                start_new_session=True,
            )
            self._say("=".join(self.mark))

    def watch(self, number: int) -> None:
        """Takes a process, or minus the number of a process group, into its care."""
        self._say(str(number))

    def dismiss(self) -> None:
        """Ends the guard: all that it watched is known to this process."""
        if self._shell is not None:
            self._say("done")
            assert self._shell.stdin is not None
            with suppress(OSError):
                self._shell.stdin.close()
            self._shell.wait()

    def _say(self, word: str) -> None:
        if self._shell is None:
            return
        assert self._shell.stdin is not None
        with suppress(OSError):
            self._shell.stdin.write(f"{word}\n".encode())
            self._shell.stdin.flush()
