"""Who does the units: this process, processes on this machine, or a Dask cluster."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from arbo_bo.benchmarks.units import Record, Unit

Work = Callable[[Unit], list[Record]]


def execute(units: Sequence[Unit], work: Work, jobs: int, client: Any) -> Iterator[list[Record]]:
    """The records of each unit, as they come.

    Args:
        units: What to do.
        work: Does one.
        jobs: Processes at once; 0: one for each core.
        client: A `dask.distributed.Client`; None: this machine.
    """
    if client is not None:
        yield from _on_dask(units, work, client)
        return
    jobs = min(jobs or _cores(), len(units))
    if jobs <= 1:
        yield from map(work, units)
        return
    from joblib import Parallel, delayed, parallel_config

    # One thread for each worker: a second one for matrices this small only takes another's core.
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        parallel = Parallel(return_as="generator_unordered", pre_dispatch="3*n_jobs")
        with _interrupt_held():
            found = parallel(delayed(work)(unit) for unit in units)
        yield from found


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Holds Ctrl-C back until the workers are started, and from the workers for good.

    Processes and threads started meanwhile keep the mask. A terminal sends Ctrl-C to all of them;
    without this the workers, which this process ends anyway, print a traceback each.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _on_dask(units: Sequence[Unit], work: Work, client: Any) -> Iterator[list[Record]]:
    distributed: Any = import_module("distributed")
    futures = client.map(work, list(units), pure=False)
    for _, records in distributed.as_completed(futures, with_results=True):
        yield records


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
