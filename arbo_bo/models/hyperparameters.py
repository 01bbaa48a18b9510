"""What a fit leaves behind: a warm start for the next one, as JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import AmdahlLaw, Residual

FORMAT = 1


@dataclass(frozen=True)
class Hyperparameters:
    """The fitted hyperparameters of an `AmdahlGP`, in physical units.

    Attributes:
        law: T1, p, C and k.
        outputscale: Variance of the residual [log s squared, or s squared when additive].
        lengthscales: Three, on log s, log gamma and L / (L + 8).
        noise: Variance of a run's noise, in the outputscale's unit.
        residual: Which residual they belong to.
    """

    law: AmdahlLaw
    outputscale: float
    lengthscales: tuple[float, float, float]
    noise: float
    residual: Residual

    def __post_init__(self) -> None:
        values = (self.outputscale, *self.lengthscales, self.noise)
        if len(self.lengthscales) != 3 or not all(0 < v < math.inf for v in values):
            raise InvalidValueError(f"hyperparameters must be positive and finite, got {self}")

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON's own types."""
        return {"format": FORMAT, **asdict(self), "residual": str(self.residual)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Hyperparameters | None":
        """Reads what `to_json` wrote; None for anything else.

        A warm start is advice: where a row is empty, written by another version, or damaged, the
        fit starts cold and is right all the same.
        """
        try:
            if stored["format"] != FORMAT:
                return None
            low, mid, high = (float(v) for v in stored["lengthscales"])
            return cls(
                law=AmdahlLaw(**stored["law"]),
                outputscale=float(stored["outputscale"]),
                lengthscales=(low, mid, high),
                noise=float(stored["noise"]),
                residual=Residual(stored["residual"]),
            )
        except (KeyError, TypeError, ValueError):
            return None
