"""What a fit leaves behind: a warm start for the next one, as JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import AmdahlLaw, MeanFunction, Residual

FORMAT = 1


@dataclass(frozen=True)
class Hyperparameters:
    """The fitted hyperparameters of a law and a residual, in physical units.

    Attributes:
        law: T1, p, C and k; of another mean than Amdahl's its part that is Amdahl's law.
        outputscale: Variance of the residual [log s squared, or s squared when additive].
        lengthscales: Three, on log s, log gamma and L / (L + 8).
        noise: Variance of a run's noise, in the outputscale's unit.
        residual: Which residual they belong to.
        mean: Which law they belong to.
        learned: That law's parameters by name, times as the logarithm of seconds; left out, those
            that `law` says.
    """

    law: AmdahlLaw
    outputscale: float
    lengthscales: tuple[float, float, float]
    noise: float
    residual: Residual
    mean: MeanFunction = MeanFunction.AMDAHL
    learned: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = (self.outputscale, *self.lengthscales, self.noise)
        if len(self.lengthscales) != 3 or not all(0 < v < math.inf for v in values):
            raise InvalidValueError(f"hyperparameters must be positive and finite, got {self}")
        if not all(map(math.isfinite, self.learned.values())):
            raise InvalidValueError(f"a law's parameters must be finite, got {self.learned}")
        object.__setattr__(self, "learned", dict(self.learned) or amdahl_parameters(self.law))

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON's own types."""
        names = {"residual": str(self.residual), "mean": str(self.mean)}
        return {"format": FORMAT, **asdict(self), **names}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Hyperparameters | None":
        """Reads what `to_json` wrote, without a mean as Amdahl's law; None for anything else.

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
                mean=MeanFunction(stored.get("mean", MeanFunction.AMDAHL)),
                learned={str(k): float(v) for k, v in stored.get("learned", {}).items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


def amdahl_parameters(of: AmdahlLaw) -> dict[str, float]:
    """The unconstrained parameters of a law by name, with u = 1 s."""
    p = min(max(of.p, 1e-9), 1 - 1e-9)
    return {
        "log_t1": math.log(of.t1_s),
        "logit_p": math.log(p / (1 - p)),
        "log_c": math.log(max(of.c_s, 1e-300)),
        "k_exponent": of.k,
    }


def amdahl_part(mean: MeanFunction, learned: Mapping[str, float]) -> AmdahlLaw:
    """The part of a law that is Amdahl's; of Ernest's theta1 as parallel work, theta0 as start-up.

    Args:
        mean: Which law.
        learned: Its parameters by name, times as the logarithm of seconds.
    """
    t1, k = math.exp(learned["log_t1"]), learned["k_exponent"]
    if mean is MeanFunction.ERNEST:
        return AmdahlLaw(t1_s=t1, p=1.0, c_s=math.exp(learned["log_fixed"]), k=k)
    p = 1 / (1 + math.exp(-learned["logit_p"]))
    return AmdahlLaw(t1_s=t1, p=p, c_s=math.exp(learned["log_c"]), k=k)
