"""What every peer's package is called in: one thread, a seed, and silence."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from arbo_bo.generation.threads import one_thread


@contextmanager
def seeded_torch(seed: int) -> Iterator[None]:
    """Runs a peer that is built on torch, so that the same seed gives the same choices.

    torch's own generator is put back afterwards. The warnings of the libraries (a fit tried again,
    data that is not standardized, jitter added to a covariance) are for who uses them by hand.
    """
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from botorch.utils.sampling import manual_seed

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with manual_seed(seed):
                yield
        finally:
            torch.set_num_threads(threads)


@contextmanager
def silent_logs() -> Iterator[None]:
    """Drops log records up to WARNING, of whatever logger: Ax gives each of its own a level."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
