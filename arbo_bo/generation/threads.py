"""The BLAS on one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs the BLAS on one thread: for matrices this small a second one only costs."""
    with _blas().limit(limits=1):
        yield


@cache
def _blas() -> ThreadpoolController:
    """The loaded BLAS libraries; looking for them takes milliseconds, so once a process."""
    return ThreadpoolController()
