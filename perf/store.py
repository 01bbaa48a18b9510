"""arbo's store beside Optuna's and Ax's on one PostgreSQL, in one run: ``make bench-store``.

Each peer holds one task with fifty completed trials. One step is what a run needs: a trial to run,
and its completion. Without a fit: arbo's own calls of the store (what a decision reads, the new
trial, its completion), Optuna's random sampler, Ax's Sobol. With a fit: each one's model.
Then eight processes step at once for some seconds; a trial whose completion was acknowledged and
that the database does not hold is lost.

Ax's tables cannot be created on PostgreSQL as shipped (TEXT(4294967295)); the lengths are removed.
"""

import argparse
import json
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

os.environ.setdefault("OMP_NUM_THREADS", "1")
PAST, PROCESSES, NAME = 50, 8, "task"
WIDE = (1, 10**6)
"""Ax repeats no degree, and of 32 there would soon be none left."""
FORK = multiprocessing.get_context("fork")


class Peer(Protocol):
    """One way to keep trials; a process opens its own."""

    def fill(self) -> None:
        """Makes the task with its completed trials."""

    def step(self, value: float) -> None:
        """Takes a trial and completes it with `value`."""

    def values(self) -> list[float]:
        """The completed trials' values, as the database holds them."""


class Arbo:
    """arbo_bo; without a fit, only the store's part."""

    def __init__(self, url: str, fits: bool) -> None:
        from arbo_bo import ArboOptimizer

        self.arbo, self.fits = ArboOptimizer(url), fits

    def fill(self) -> None:
        """See `Peer`."""
        rows = [{"parallelism": 1 + n % 16, "execution_time_s": 9.0 + n} for n in range(PAST)]
        self.arbo.attach_trials(NAME, rows)

    def step(self, value: float) -> None:
        """See `Peer`."""
        fitted = self.arbo.suggest(NAME, deadline_s=60) if self.fits else None
        index = fitted.trial_index if fitted else self._start()
        assert index is not None
        self.arbo.complete_trial(NAME, index, execution_time_s=value)

    def _start(self) -> int:
        from arbo_bo.experiment import Context, Decision, Phase
        from arbo_bo.experiment.drafts import running_trial

        situation = self.arbo.store.situation(NAME)
        decision = Decision(NAME, 4, Phase.OPTIMIZE, "the store's part")
        context = Context(None, float(situation.running_workers))
        draft = running_trial(decision, context, timedelta(days=1))
        return self.arbo.store.start(NAME, draft)[0].trial_index

    def values(self) -> list[float]:
        """See `Peer`."""
        trials = self.arbo.trials(NAME)
        return [t.execution_time_s for t in trials if t.execution_time_s is not None]


class Optuna:
    """Optuna with its RDBStorage."""

    def __init__(self, url: str, fits: bool) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.GPSampler() if fits else optuna.samplers.RandomSampler()
        storage = optuna.storages.RDBStorage(url.replace("postgresql://", "postgresql+psycopg2://"))
        self.study = optuna.create_study(
            study_name=NAME, storage=storage, sampler=sampler, load_if_exists=True
        )

    def fill(self) -> None:
        """See `Peer`."""
        for number in range(PAST):
            self.step(9.0 + number)

    def step(self, value: float) -> None:
        """See `Peer`."""
        trial = self.study.ask()
        trial.suggest_int("parallelism", 1, 32)
        self.study.tell(trial, value)

    def values(self) -> list[float]:
        """See `Peer`."""
        return [t.value for t in self.study.get_trials(deepcopy=False) if t.value is not None]


class Ax:
    """Ax's client with its SQL storage."""

    def __init__(self, url: str, fits: bool) -> None:
        from ax.api.client import Client
        from ax.api.configs import RangeParameterConfig, StorageConfig

        logging.getLogger("ax").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        self._create_tables(url)
        self.client = Client(storage_config=StorageConfig(url=self.url))
        try:
            self.client = Client.load_from_database(NAME, StorageConfig(url=self.url))
        except Exception:  # there is none yet; which error says so differs between versions
            self.client.configure_experiment(
                [RangeParameterConfig(name="parallelism", parameter_type="int", bounds=WIDE)],
                name=NAME,
            )
            self.client.configure_optimization(objective="-time")
            budget = {} if fits else {"initialization_budget": 10**6}
            self.client.configure_generation_strategy(initialize_with_center=False, **budget)

    def _create_tables(self, url: str) -> None:
        from ax.storage.sqa_store.db import (
            create_all_tables,
            get_engine,
            init_engine_and_session_factory,
        )
        from ax.storage.sqa_store.sqa_classes import SQAExperiment
        from sqlalchemy import String

        for table in SQAExperiment.metadata.tables.values():
            for column in table.columns:
                kind = getattr(column.type, "impl", column.type)
                if isinstance(kind, String):
                    kind.length = None
        self.url = url.replace("postgresql://", "postgresql+psycopg2://")
        init_engine_and_session_factory(url=self.url, force_init=True)
        create_all_tables(get_engine())

    def fill(self) -> None:
        """See `Peer`."""
        for number in range(PAST):
            self.step(9.0 + number)

    def step(self, value: float) -> None:
        """See `Peer`."""
        for index in self.client.get_next_trials(1):
            self.client.complete_trial(index, raw_data={"time": (value, 0.0)})

    def values(self) -> list[float]:
        """See `Peer`."""
        data = self.client._experiment.lookup_data().df
        return [] if data.empty else [float(v) for v in data["mean"]]


PEERS: dict[str, Callable[[str, bool], Peer]] = {"arbo": Arbo, "Optuna": Optuna, "Ax": Ax}


def latency_ms(peer: Peer, steps: int) -> float:
    """Median time of one step."""
    times = []
    for number in range(steps):
        started = time.perf_counter()
        peer.step(1000.0 + number)
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times)


def work(name: str, url: str, number: int, seconds: float, notes: Path) -> None:
    """Steps until the time is over, and writes down each value that was acknowledged."""
    peer = PEERS[name](url, False)
    peer.step(2000.0 + 1000.0 * number)
    done, errors, until = [2000.0 + 1000.0 * number], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        value = done[-1] + 1.0 / 64
        try:
            peer.step(value)
        except Exception:  # a peer's own errors are counted, whatever they are
            errors += 1
        else:
            done.append(value)
    (notes / str(number)).write_text(json.dumps({"done": done, "errors": errors}))


def crowd(name: str, url: str, seconds: float) -> tuple[float, int, int, int]:
    """Steps a second of eight processes, and the lost and duplicated trials and the errors."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder)
        processes = [
            FORK.Process(target=work, args=(name, url, number, seconds, notes))
            for number in range(PROCESSES)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        said = [json.loads(path.read_text()) for path in notes.iterdir()]
    done = [value for one in said for value in one["done"]]
    held = PEERS[name](url, False).values()
    errors = sum(one["errors"] for one in said) + PROCESSES - len(said)
    lost = len(set(done) - set(held))
    return len(done) / seconds, lost, len(held) - len(set(held)), errors


def row(name: str, new_url: Callable[[], str], steps: int, seconds: float) -> list[str]:
    """One peer's line; what does not start says so."""
    cells = [name]
    try:
        for fits in (False, True):
            peer = PEERS[name](new_url(), fits)
            peer.fill()
            peer.step(999.0)
            cells.append(f"{latency_ms(peer, steps):.1f} ms")
        url = new_url()
        PEERS[name](url, False).fill()
        rate, lost, twice, errors = crowd(name, url, seconds)
    except Exception as err:  # the peer's own, whatever it is
        return [*cells, f"does not start: {type(err).__name__}: {str(err).splitlines()[0][:60]}"]
    return [*cells, f"{rate:.1f}/s", str(lost), str(twice), str(errors)]


def main() -> None:
    """Prints one line a peer."""
    from chaos import Server

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=40, help="steps whose median is the latency")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long eight processes work")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arbo-store-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "postgresql")
        try:
            print(
                "store | no fit | with fit | 8 processes | lost | duplicated | errors", flush=True
            )
            for name in given.peers:
                print(" | ".join(row(name, server.new_url, given.steps, given.seconds)), flush=True)
        finally:
            server.server.cleanup()


if __name__ == "__main__":
    main()
