"""One Airflow and one PostgreSQL for all end-to-end tests."""

import json
import socket
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemons import Airflow, Run

from arbo_bo import ArboOptimizer, Trial

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def arbo_url(create_postgresql_database: Callable[[], str]) -> str:
    """URL of arbo's own database."""
    return create_postgresql_database()


@pytest.fixture(scope="session")
def arbo(arbo_url: str) -> Iterator[ArboOptimizer]:
    """arbo as a person at a shell has it."""
    with ArboOptimizer(arbo_url) as opened:
        opened.experiments()  # makes the schema
        yield opened


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """A port that no server listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


@pytest.fixture(scope="session")
def airflow(
    tmp_path_factory: pytest.TempPathFactory,
    create_postgresql_database: Callable[[], str],
    arbo: ArboOptimizer,
    arbo_url: str,
    closed_port: int,
) -> Iterator[Airflow]:
    """The daemons, with the DAGs of this folder and of examples/airflow."""
    home = tmp_path_factory.mktemp("airflow")
    arbo_at = urllib.parse.urlsplit(arbo_url)
    (folder,) = urllib.parse.parse_qs(arbo_at.query)["host"]
    postgres = {
        "conn_type": "postgres",
        "host": folder,
        "login": arbo_at.username,
        "schema": arbo_at.path.lstrip("/"),
        "extra": {"application_name": "arbo", "cursor": "ignored"},
    }
    down = {**postgres, "host": "127.0.0.1", "port": closed_port}
    metadata = create_postgresql_database()
    environment = {
        "AIRFLOW_CONN_ARBO_DEFAULT": json.dumps(postgres),
        "AIRFLOW_CONN_ARBO_DOWN": json.dumps(down),
        "AIRFLOW_CONN_ARBO_WRONG_TYPE": json.dumps({**postgres, "conn_type": "http"}),
        "ARBO_DATABASE_URL": arbo_url,
        "ARBO_E2E_FOLDER": str(home),
    }
    dags = home / "dags"
    dags.mkdir()
    (dags / "tests").symlink_to(HERE / "dags")
    (dags / "examples").symlink_to(HERE.parents[2] / "examples" / "airflow")
    site = Airflow(home, dags, metadata, environment)
    try:
        site.start()
        site.wait_for_dags("eight", "genome", "handwritten", "pods")
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def trial_of(arbo_url: str) -> Iterator[Callable[..., Trial]]:
    """The trial that a run's plan task made."""
    opened: dict[str, ArboOptimizer] = {}

    def find(
        run: Run, stage: str | None = None, place: int = 0, namespace: str = "default"
    ) -> Trial:
        if namespace not in opened:
            opened[namespace] = ArboOptimizer(arbo_url, namespace)
        advice = run.xcom(f"plan_{stage or run.dag_id}", "arbo")[place]
        return opened[namespace].store.trial(advice["experiment"], advice["trial_index"])

    yield find
    for arbo in opened.values():
        arbo.close()
