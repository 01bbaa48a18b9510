"""Tensors in, posterior out: the parametric means, the Gaussian process on them, and fitting."""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.models.amdahl_gp import AmdahlGP
    from arbo_bo.models.fitting import fit_amdahl_gp
    from arbo_bo.models.kernel import ResidualKernel
    from arbo_bo.models.mean import AmdahlMean, ErnestMean, UniversalScalabilityMean
    from arbo_bo.models.outcome import LognormalPosterior, LogTime
    from arbo_bo.models.scalability import LawPrior, ScalabilityMean
    from arbo_bo.models.time_posterior import TimePosterior
    from arbo_bo.numerics.hyperparameters import Hyperparameters
    from arbo_bo.numerics.online import OnlineAmdahlEstimator

_HOMES = {
    "AmdahlGP": "arbo_bo.models.amdahl_gp",
    "AmdahlMean": "arbo_bo.models.mean",
    "ErnestMean": "arbo_bo.models.mean",
    "Hyperparameters": "arbo_bo.numerics.hyperparameters",
    "LawPrior": "arbo_bo.models.scalability",
    "LogTime": "arbo_bo.models.outcome",
    "LognormalPosterior": "arbo_bo.models.outcome",
    "OnlineAmdahlEstimator": "arbo_bo.numerics.online",
    "ResidualKernel": "arbo_bo.models.kernel",
    "ScalabilityMean": "arbo_bo.models.scalability",
    "TimePosterior": "arbo_bo.models.time_posterior",
    "UniversalScalabilityMean": "arbo_bo.models.mean",
    "fit_amdahl_gp": "arbo_bo.models.fitting",
}

__all__ = [
    "AmdahlGP",
    "AmdahlMean",
    "ErnestMean",
    "Hyperparameters",
    "LawPrior",
    "LogTime",
    "LognormalPosterior",
    "OnlineAmdahlEstimator",
    "ResidualKernel",
    "ScalabilityMean",
    "TimePosterior",
    "UniversalScalabilityMean",
    "fit_amdahl_gp",
]

__getattr__ = resolver(__name__, _HOMES)
