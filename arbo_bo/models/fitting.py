"""Finding the hyperparameters of an `AmdahlGP`: maximum a posteriori, from few runs, quickly."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from gpytorch.mlls import ExactMarginalLogLikelihood
from numpy.typing import NDArray
from torch import Tensor

from arbo_bo.errors import NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import MeanFunction, Residual
from arbo_bo.experiment.law import DEFAULT_MEAN
from arbo_bo.formulas.anomalies import explain
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.analytic import (
    assign,
    calibrate,
    current,
    evidence_of,
    log_evidence,
    maximised,
    with_diffuse_noise_prior,
)
from arbo_bo.models.inputs import check_inputs, check_time
from arbo_bo.models.kernel import LogNormal, ResidualPrior
from arbo_bo.models.mean import MEANS
from arbo_bo.models.scalability import LawPrior, ScalabilityMean
from arbo_bo.numerics.hyperparameters import Hyperparameters

IDENTIFYING_RATIO = 1.5
"""A window whose largest degree is less than this times its smallest says too little about p."""
ANCHOR_RESIDUAL_SCALE = 0.5
"""Standard deviation of the logarithm around hyperparameters that were learned before."""
STARTUP_SCALE = 0.3
"""Standard deviation of log C around the logarithm of a measured start-up time."""


def fit_amdahl_gp(
    train_X: Tensor,
    execution_time_s: Tensor,
    residual: Residual | str = Residual.MULTIPLICATIVE,
    warm_start: Hyperparameters | None = None,
    startup_time_s: float | None = None,
    mean: MeanFunction | str = DEFAULT_MEAN,
    censored: Sequence[bool] | None = None,
) -> AmdahlGP:
    """Fits an `AmdahlGP` to a window of runs.

    The law is learned jointly with the kernel and the noise, by maximum marginal likelihood under
    priors. Any two degrees identify Amdahl's law; s = 1 is not needed. A window that holds one
    degree, or degrees that are nearly the same, says nothing about p (`identifies_law`): what
    `warm_start` holds is then the prior, with the law's level free, and of its mean if `mean` is
    "auto".

    Runs that do not fit are explained where that raises the evidence
    (`arbo_bo.formulas.anomalies`): stragglers are left out, a lasting change of speed brings the
    older runs to the newest level, and a run that was cut off counts as the time that it would have
    taken. What the model then trains on is the model's `explanation`.

    Args:
        train_X: ``n x 3``: s, gamma, L in physical units, oldest run first.
        execution_time_s: ``n x 1``, above 0 [s].
        residual: "multiplicative" or "additive".
        warm_start: Where to start from, so that one further start is guard enough.
        startup_time_s: A measured typical start-up time, 0 or more [s]; None: unknown.
        mean: Which law; "auto" fits them all and keeps the one with the largest evidence
            (`log_evidence`).
        censored: Which runs were cut off at their time, n of them; None: none.

    Returns:
        The fitted model, in evaluation mode, in float64.

    Raises:
        NotEnoughObservationsError: n = 0.
        ShapeError: The shapes are not as above.
        InvalidValueError: A time is not above 0, or an input is outside its domain.
    """
    if execution_time_s.ndim != 2 or execution_time_s.shape != (*train_X.shape[:-1], 1):
        raise ShapeError(
            "execution_time_s needs shape (n, 1) beside train_X of (n, 3), "
            f"got {tuple(execution_time_s.shape)} beside {tuple(train_X.shape)}"
        )
    if not len(execution_time_s):
        raise NotEnoughObservationsError("a fit needs at least one completed run")
    check_inputs(train_X, "train_X")
    check_time(execution_time_s, "execution_time_s")
    X, time = train_X.to(torch.float64), execution_time_s.to(torch.float64)
    residual, mean = Residual(residual), MeanFunction(mean)

    cut_off = np.zeros(len(X), dtype=bool) if censored is None else np.array(censored, dtype=bool)

    def fitted(kind: MeanFunction) -> AmdahlGP:
        model = _unfitted(X, time, residual, warm_start, startup_time_s, MEANS[kind])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        return _explained(model, cut_off)

    if mean is not MeanFunction.AUTO:
        return fitted(mean)
    if not identifies_law(X[:, 0].tolist()):
        return fitted(DEFAULT_MEAN if warm_start is None else warm_start.mean)
    return max((fitted(kind) for kind in MEANS), key=log_evidence)


def _explained(model: AmdahlGP, censored: NDArray[np.bool_]) -> AmdahlGP:
    """The fitted model, on the runs that fit where some do not.

    A prior of small noise would take every other run of a noisy task for a straggler, so that runs
    are judged under an open one.
    """
    refit, evidence = partial(maximised, model), with_diffuse_noise_prior(model)
    _, x = refit(evidence, current(model))
    found = explain(evidence, x, refit, censored)
    if not found.cost and not censored.any():
        model.explanation = found
        return model
    kept, outcomes = torch.from_numpy(found.kept), torch.from_numpy(found.y)
    model.set_train_data(model.train_inputs[0][kept], outcomes[kept], strict=False)
    assign(model, maximised(model, evidence_of(model), found.x)[1])
    calibrate(model)
    model.explanation = found
    return model


def _unfitted(
    X: Tensor,
    time: Tensor,
    residual: Residual,
    warm_start: Hyperparameters | None,
    startup_time_s: float | None,
    mean: type[ScalabilityMean],
) -> AmdahlGP:
    """The model with the priors and the start that the arguments of `fit_amdahl_gp` say."""
    law_prior: LawPrior = {}
    residual_prior = ResidualPrior()
    if warm_start is not None and not identifies_law(X[:, 0].tolist()):
        law_prior = anchored_law_prior(mean, warm_start)
        if warm_start.residual is residual:
            residual_prior = anchored_residual_prior(warm_start)
    law_prior = _with_small_inputs(law_prior, mean, X[:, 1])
    scale = mean.scale_of(X[:, 0], X[:, 1], time.squeeze(-1), law_prior)
    if startup_time_s is not None:
        log_c = math.log(max(startup_time_s / scale.item(), 1e-6))
        law_prior = {**law_prior, "log_c": (log_c, STARTUP_SCALE)}
    model = AmdahlGP(
        X,
        AmdahlGP.outcome_of_time(time, residual),
        residual=residual,
        law_prior=law_prior,
        residual_prior=residual_prior,
        time_scale=scale,
        mean=mean,
    )
    if warm_start is not None:
        model.start_from(warm_start)
    return model


def _with_small_inputs(prior: LawPrior, mean: type[ScalabilityMean], gamma: Tensor) -> LawPrior:
    """The prior with a start-up that is small beside the smallest input's work, too.

    C does not scale: what is small at the base size would be all of the time at a thousandth of it.
    """
    below = max(0.0, -math.log(gamma.min().item()))
    if not below or "log_c" not in mean.PARAMETERS or "log_c" in prior:
        return prior
    location, spread = mean.PARAMETERS["log_c"].prior
    seen = math.log(gamma.max().item() / gamma.min().item())
    return {**prior, "log_c": (location - below, math.hypot(spread, min(below, seen)))}


def identifies_law(degrees: Sequence[float]) -> bool:
    """Whether runs at these degrees tell p: the largest is 1.5 times the smallest or more."""
    return max(degrees) >= IDENTIFYING_RATIO * min(degrees)


def anchored_law_prior(mean: type[ScalabilityMean], known: Hyperparameters) -> LawPrior:
    """A prior that keeps the shape of a law that was learned before, and leaves its level free."""
    level = known.learned.get("log_t1", 0.0)
    return {
        name: (
            min(max(known.learned[name] - level * p.timed, p.low), p.high),
            p.anchor,
        )
        for name, p in mean.PARAMETERS.items()
        if name in known.learned
    }


def anchored_residual_prior(known: Hyperparameters) -> ResidualPrior:
    """A prior around the kernel and the noise that were learned before."""
    unit = known.law.t1_s**2 if known.residual is Residual.ADDITIVE else 1.0

    def around(value: float) -> LogNormal:
        return math.log(value), ANCHOR_RESIDUAL_SCALE

    low, mid, high = (around(v) for v in known.lengthscales)
    outputscale, noise = around(known.outputscale / unit), around(known.noise / unit)
    return ResidualPrior(outputscale, (low, mid, high), noise)
