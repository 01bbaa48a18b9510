"""One store of either kind for each test."""

import re
from collections.abc import Callable, Iterator

import pytest

from arbo_bo.experiment import Arm, Context, Experiment, Phase, Trial, TrialStatus
from arbo_bo.storage.store import SQLTrialStore


@pytest.fixture
def store(store_url: str) -> Iterator[SQLTrialStore]:
    with SQLTrialStore(store_url) as opened:
        yield opened


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def lasting_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SQLTrialStore]:
    """A store for tests that change nothing: the task ``load_sales`` with one running trial."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('lasting')}/arbo.db"
    else:
        url = request.getfixturevalue("create_postgresql_database")()
    with SQLTrialStore(url) as opened:
        opened.configure("load_sales", lambda _: Experiment("load_sales"))
        running = TrialStatus.RUNNING
        opened.add("load_sales", [Trial("x", 0, running, Arm(4), Context(), Phase.ATTACHED)])
        yield opened


@pytest.fixture
def task(store: SQLTrialStore) -> str:
    """The name of a task that is configured and has no trials."""
    return store.configure("load_sales", lambda _: Experiment("load_sales")).name


@pytest.fixture
def trial() -> Callable[..., Trial]:
    """Makes a running trial with what is given changed."""

    def make(
        parallelism: int = 4,
        status: TrialStatus = TrialStatus.RUNNING,
        input_size: float | None = None,
        **changed: object,
    ) -> Trial:
        context = Context(input_size=input_size)
        return Trial("x", 0, status, Arm(parallelism), context, Phase.ATTACHED, **changed)

    return make


@pytest.fixture
def completed(trial: Callable[..., Trial]) -> Callable[..., Trial]:
    """Makes a completed trial from its time and size."""

    def make(execution_time_s: float, input_size: float | None = None, **changed: object) -> Trial:
        return trial(
            status=TrialStatus.COMPLETED,
            execution_time_s=execution_time_s,
            input_size=input_size,
            **changed,
        )

    return make


@pytest.fixture
def sql(store: SQLTrialStore) -> Callable[..., list[tuple[object, ...]]]:
    """Runs raw SQL on the store's database, and returns the rows."""

    def run(statement: str, **values: object) -> list[tuple[object, ...]]:
        if store.database.kind == "postgresql":
            statement = re.sub(r":(\w+)", r"%(\1)s", statement)
        rows = store.database.write(lambda transaction: transaction.text(statement, **values))
        return [tuple(row.values()) for row in rows]

    return run
