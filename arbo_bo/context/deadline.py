"""A limit on how long something that others answer for may take."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(timeout_s: float, work: Callable[[], T]) -> T:
    """What `work` returns, if it does so in time.

    It runs in a daemon thread; one that comes too late is left to itself, and ends with the
    process at the latest.

    Args:
        timeout_s: The limit [s].
        work: What may hang: a network file system, a server.

    Raises:
        TimeoutError: It took longer.
        BaseException: Whatever `work` raises.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as err:  # raised again where it was asked for
            future.set_exception(err)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="arbo-context", daemon=True).start()
    try:
        return future.result(timeout_s)
    except TimeoutError as err:
        raise TimeoutError(f"no answer within {timeout_s:g} s") from err
