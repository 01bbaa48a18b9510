"""How long a store may take: retries with back-off, and one allowance over several calls."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from arbo_bo.errors import StoreTimeoutError, StoreUnavailableError

T = TypeVar("T")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
logger = logging.getLogger("arbo_bo")


class Allowance:
    """Time that calls may take in all; it is spent only while a call lasts.

    Attributes:
        given_s: How much there was at first [s].
    """

    def __init__(self, given_s: float) -> None:
        self.given_s = given_s
        self._left_s = given_s
        self._ends_at: float | None = None

    @property
    def left_s(self) -> float:
        """How much is left [s]; below 0 where a call took longer."""
        return self._left_s if self._ends_at is None else self._ends_at - time.monotonic()

    def extend(self, seconds: float) -> None:
        """Adds time, if it is being spent now."""
        if self._ends_at is not None:
            self._ends_at += seconds

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Spends what the block takes; a block within a block is not counted twice."""
        if self._ends_at is not None:
            yield
            return
        self._ends_at = time.monotonic() + self._left_s
        try:
            yield
        finally:
            self._left_s, self._ends_at = self.left_s, None


_deadline: ContextVar[Allowance | None] = ContextVar("arbo_bo_store_deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limits what the calls in the block may take in all; of two limits the outer one holds."""
    if _deadline.get() is not None:
        yield
        return
    token = _deadline.set(Allowance(seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def apart(seconds: float) -> Iterator[None]:
    """Limits what the calls in the block may take, and no limit around it counts that."""
    outer, started = _deadline.get(), time.monotonic()
    allowance = Allowance(seconds)
    token = _deadline.set(allowance)
    try:
        with allowance.spent():
            yield
    finally:
        _deadline.reset(token)
        if outer is not None:
            outer.extend(time.monotonic() - started)


def left_s() -> float | None:
    """What the calls of this block may still take [s]; None: no limit was set."""
    deadline = _deadline.get()
    return None if deadline is None else max(deadline.left_s, 0.0)


def retried(call: Callable[[], T], retry_s: float) -> T:
    """Calls until the database answers, with growing pauses.

    Args:
        call: What to do; done again it must do no harm.
        retry_s: For how long failures that may pass are retried where no limit was set [s].

    Raises:
        StoreTimeoutError: The limit of the block is over.
        StoreUnavailableError: `retry_s` is over, or the failure will not pass.
    """
    deadline = _deadline.get()
    allowance = deadline or Allowance(retry_s)
    pause_s = FIRST_PAUSE_S
    with allowance.spent():
        if deadline is not None and deadline.left_s <= 0:
            raise StoreTimeoutError(_too_long(deadline, "its time was used up before"))
        while True:
            try:
                return call()
            except StoreUnavailableError as err:
                problem = err
            if not problem.may_pass:
                raise problem
            if allowance.left_s <= pause_s:
                if deadline is None:
                    raise problem
                raise StoreTimeoutError(_too_long(deadline, str(problem))) from problem
            log = logger.warning if pause_s == FIRST_PAUSE_S else logger.debug
            log("trying again for up to %.0f s: %s", allowance.left_s, problem)
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _too_long(deadline: Allowance, said: str) -> str:
    return f"the store did not answer within {deadline.given_s:g} s: {said}"
