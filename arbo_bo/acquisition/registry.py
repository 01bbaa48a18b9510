"""Acquisition functions by name: arbo's own, and those of other packages.

Another package adds one through the entry point group ``arbo_bo.acquisition``: the entry point's
name is the acquisition's, its object a function that takes `AcquisitionInputs` and returns a
BoTorch acquisition function over (s, gamma, L) with q = 1.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from arbo_bo.errors import AcquisitionError, UnknownAcquisitionError
from arbo_bo.experiment import SLO, Objective, validation
from arbo_bo.experiment.acquisitions import ACQUISITIONS

if TYPE_CHECKING:
    from botorch.acquisition import AcquisitionFunction
    from botorch.models.model import Model
    from torch import Tensor

logger = logging.getLogger("arbo_bo")

ENTRY_POINTS = "arbo_bo.acquisition"
BUILTIN = tuple(ACQUISITIONS)


@dataclass(frozen=True)
class AcquisitionInputs:
    """What an acquisition function is made of.

    Attributes:
        model: A fitted single-outcome model over (s, gamma, L).
        choices: ``n x 3``: every allowed degree at the next run's context.
        objective: What is minimised.
        slo: Service levels, none to two.
        X_pending: ``n x 3``: runs of the task under way; None: there are none.
        seed: For what is drawn.
    """

    model: "Model"
    choices: "Tensor"
    objective: Objective = field(default_factory=Objective)
    slo: tuple[SLO, ...] = ()
    X_pending: "Tensor | None" = None
    seed: int = 0


Factory = Callable[[AcquisitionInputs], "AcquisitionFunction"]


def available() -> tuple[str, ...]:
    """The names of all acquisition functions, arbo's own first."""
    return (*BUILTIN, *sorted(_third_party()[0]))


def require(name: Any) -> str:
    """Returns the name if an acquisition function has it; torch is not loaded for arbo's own.

    Raises:
        UnknownAcquisitionError: None has; the message lists those that exist.
    """
    if name in BUILTIN or (isinstance(name, str) and name in _third_party()[0]):
        return str(name)
    broken = _third_party()[1]
    skipped = "".join(f"; {n!r} could not be loaded: {err}" for n, err in sorted(broken.items()))
    raise UnknownAcquisitionError(
        f"acquisition must be one of {', '.join(available())}, got {validation.short(name)}"
        f"{skipped}"
    )


def make_acquisition(name: str, inputs: AcquisitionInputs) -> "AcquisitionFunction":
    """The acquisition function of a name; service levels hold whichever it is.

    Raises:
        UnknownAcquisitionError: No acquisition function has that name.
    """
    from arbo_bo.acquisition.builtin import FACTORIES, under_slo

    if require(name) in FACTORIES:
        return FACTORIES[name](inputs)
    return under_slo(_third_party()[0][name](inputs), inputs)


@contextmanager
def named_failure(name: str) -> Iterator[None]:
    """What another package's acquisition function raises in the block becomes one error of ours.

    Raises:
        AcquisitionError: It has failed; the message names it.
    """
    try:
        yield
    except UnknownAcquisitionError:
        raise
    except (Exception, SystemExit) as err:
        if name in BUILTIN:
            raise
        raise AcquisitionError(
            f"acquisition {name!r} of another package failed: {_said(err)}; have it mended, or "
            "give the task another acquisition"
        ) from err


def _said(err: BaseException) -> str:
    return f"{type(err).__name__}: {err}".removesuffix(": ")


@cache
def _third_party() -> tuple[Mapping[str, Factory], Mapping[str, str]]:
    """Factories of other packages, and what went wrong with those that cannot be loaded."""
    loaded: dict[str, Factory] = {}
    broken: dict[str, str] = {}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in BUILTIN:
            broken[point.name] = "the name is arbo's own"
        else:
            try:
                loaded[point.name] = point.load()
            except (Exception, SystemExit) as err:  # another's fault must not stop a decision
                broken[point.name] = _said(err)
        if point.name in broken:
            logger.warning(
                "acquisition %r (%s) is skipped: %s", point.name, point.value, broken[point.name]
            )
    return MappingProxyType(loaded), MappingProxyType(broken)
