"""How busy others keep the cluster, from whoever knows."""

import logging
from collections.abc import Callable

from arbo_bo.context.deadline import within
from arbo_bo.context.secrets import printable
from arbo_bo.experiment import validation

logger = logging.getLogger("arbo_bo")

LoadSource = Callable[[], float | None]
"""Returns the workers that other runs keep busy, 0 or more; None: unknown."""

TIMEOUT_S = 2.0


def cluster_load_of(source: LoadSource, timeout_s: float = TIMEOUT_S) -> float | None:
    """Asks a source for the cluster load, and never raises: advice does not wait for a dashboard.

    Args:
        source: `PrometheusLoad`, or any callable.
        timeout_s: How long it may take [s].

    Returns:
        The load [workers]; None, and a warning in the log, where the source fails, takes too long
        or returns something else than a number from 0 up.
    """
    try:
        load = within(timeout_s, source)
        return None if load is None else validation.non_negative("the cluster load", load)
    except Exception as err:  # the source is the user's: it may raise anything
        said = str(err) or type(err).__name__
        logger.warning("the cluster load is unknown: %s: %s", printable(repr(source)), said)
        return None
