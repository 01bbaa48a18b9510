"""Finding the hyperparameters of an `AmdahlGP`: maximum a posteriori, from few runs, quickly."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from gpytorch.constraints import Interval
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood, MarginalLogLikelihood
from gpytorch.priors import LogNormalPrior, NormalPrior
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from arbo_bo.errors import NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import AmdahlLaw, Residual
from arbo_bo.formulas.evidence import Evidence, NormalPriors
from arbo_bo.formulas.kernel import features
from arbo_bo.formulas.law import PARAMETERS, amdahl_jacobian
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.hyperparameters import Hyperparameters
from arbo_bo.models.kernel import LogNormal, ResidualPrior
from arbo_bo.models.mean import LawPrior

Vector = NDArray[np.float64]

IDENTIFYING_RATIO = 1.5
"""A window whose largest degree is less than this times its smallest says too little about p."""
ANCHOR_SCALE = (1.5, 0.1, 0.3, 0.1)
"""Standard deviations around a law that was learned before: its level is free, its shape kept."""
ANCHOR_RESIDUAL_SCALE = 0.5
"""Standard deviation of the logarithm around hyperparameters that were learned before."""
FTOL = 1e-8
"""Relative change of the log density at which a search ends."""
STARTUP_SCALE = 0.3
"""Standard deviation of log C around the logarithm of a measured start-up time."""


def fit_amdahl_gp(
    train_X: Tensor,
    execution_time_s: Tensor,
    residual: Residual | str = Residual.MULTIPLICATIVE,
    warm_start: Hyperparameters | None = None,
    startup_time_s: float | None = None,
) -> AmdahlGP:
    """Fits an `AmdahlGP` to a window of runs.

    T1, p, C and k are learned jointly with the kernel and the noise, by maximum marginal likelihood
    under priors. Any two degrees identify the law; s = 1 is not needed. A window that holds one
    degree, or degrees that are nearly the same, says nothing about p (`identifies_law`): what
    `warm_start` holds is then the prior, with the law's level free.

    Args:
        train_X: ``n x 3``: s, gamma, L in physical units.
        execution_time_s: ``n x 1``, above 0 [s].
        residual: "multiplicative" or "additive".
        warm_start: Where to start from, so that one further start is guard enough.
        startup_time_s: A measured typical start-up time, 0 or more [s]; None: unknown.

    Returns:
        The fitted model, in evaluation mode, in float64.

    Raises:
        NotEnoughObservationsError: n = 0.
        ShapeError: The shapes are not as above.
    """
    if execution_time_s.ndim != 2 or execution_time_s.shape != (*train_X.shape[:-1], 1):
        raise ShapeError(
            "execution_time_s needs shape (n, 1) beside train_X of (n, 3), "
            f"got {tuple(execution_time_s.shape)} beside {tuple(train_X.shape)}"
        )
    if not len(execution_time_s):
        raise NotEnoughObservationsError("a fit needs at least one completed run")
    X, time = train_X.to(torch.float64), execution_time_s.to(torch.float64)
    residual, law_prior, residual_prior = Residual(residual), LawPrior(), ResidualPrior()
    if warm_start is not None and not identifies_law(X[:, 0].tolist()):
        law_prior = anchored_law_prior(warm_start.law)
        if warm_start.residual is residual:
            residual_prior = anchored_residual_prior(warm_start)
    scale = law_prior.time_scale(X[:, 0], X[:, 1], time.squeeze(-1))
    if startup_time_s is not None:
        law_prior = _with_startup(law_prior, startup_time_s / scale.item())
    model = AmdahlGP(
        X,
        AmdahlGP.outcome_of_time(time, residual),
        residual=residual,
        law_prior=law_prior,
        residual_prior=residual_prior,
        time_scale=scale,
    )
    if warm_start is not None:
        model.start_from(warm_start)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def identifies_law(degrees: Sequence[float]) -> bool:
    """Whether runs at these degrees tell p: the largest is 1.5 times the smallest or more."""
    return max(degrees) >= IDENTIFYING_RATIO * min(degrees)


def anchored_law_prior(law: AmdahlLaw) -> LawPrior:
    """A prior that keeps a known law's p, k and C / T1, and leaves its level free."""
    p = min(max(law.p, 1e-4), 1 - 1e-4)
    log_c = math.log(max(law.c_s / law.t1_s, 1e-6))
    return LawPrior((0.0, math.log(p / (1 - p)), log_c, law.k), ANCHOR_SCALE)


def anchored_residual_prior(known: Hyperparameters) -> ResidualPrior:
    """A prior around the kernel and the noise that were learned before."""
    unit = known.law.t1_s**2 if known.residual is Residual.ADDITIVE else 1.0

    def around(value: float) -> LogNormal:
        return math.log(value), ANCHOR_RESIDUAL_SCALE

    low, mid, high = (around(v) for v in known.lengthscales)
    outputscale, noise = around(known.outputscale / unit), around(known.noise / unit)
    return ResidualPrior(outputscale, (low, mid, high), noise)


def has_analytic_gradient(mll: MarginalLogLikelihood) -> bool:
    """Whether `fit_by_analytic_gradient` maximises just what `mll` is.

    So it is for the exact marginal likelihood of one single-output `AmdahlGP` on the CPU, with
    inferred noise and with every parameter free, bounded and under a prior of the kind that the
    class sets up.
    """
    model = mll.model
    if type(mll) is not ExactMarginalLogLikelihood or model.batch_shape or model.num_outputs != 1:
        return False
    if type(model.likelihood) is not GaussianLikelihood or model.train_targets.device.type != "cpu":
        return False
    expected = {id(p) for p in _parameters(model)}
    priors = [type(prior) for _, _, prior, *_ in model.named_priors()]
    return (
        all(p.requires_grad for p in mll.parameters())
        and {id(p) for p in mll.parameters()} == expected
        and set(priors) <= {NormalPrior, LogNormalPrior}
        and len(priors) == len(expected)
        and all(_is_plain_interval(c) for c in _constraints(model))
    )


def fit_by_analytic_gradient(model: AmdahlGP) -> None:
    """Sets a single model's hyperparameters to the best of several local optima.

    The objective is n times that of `ExactMarginalLogLikelihood`. A model that was moved from its
    priors' centre starts where it is and at the centre; a fresh one at the centre, at a half-serial
    law, and at a law that explains little, under a strong residual.
    """
    evidence = evidence_of(model)
    bounds = _bounds(model)

    def loss(x: Vector) -> tuple[float, Vector]:
        value, gradient = evidence.log_density(x)
        return -value, -gradient

    best, best_x = -np.inf, _current(model)
    for start in _starts(model):
        result = minimize(
            loss,
            np.clip(start, bounds[:, 0], bounds[:, 1]),
            jac=True,
            method="L-BFGS-B",
            bounds=list(map(tuple, bounds)),
            options={"maxiter": 300, "ftol": FTOL},
        )
        if -result.fun > best:
            best, best_x = -result.fun, result.x
    _assign(model, best_x)


def evidence_of(model: AmdahlGP) -> Evidence:
    """The model's log posterior density of (law, log outputscale, log lengthscales, log noise)."""
    X = model.train_inputs[0].detach().numpy()
    log_output = model.residual is Residual.MULTIPLICATIVE
    unit = model.mean_module.time_scale.item()

    def mean(parameters: Vector) -> tuple[Vector, Vector]:
        values, jacobian = amdahl_jacobian(X[:, 0], X[:, 1], parameters, log_output)
        if log_output:
            return values + np.log(unit), jacobian
        return values * unit, jacobian * unit

    return Evidence(mean, features(X), model.train_targets.detach().numpy(), _priors(model))


def _priors(model: AmdahlGP) -> NormalPriors:
    kernel, noise = model.covar_module, model.likelihood.noise_covar
    law = [getattr(model.mean_module, f"{name}_prior") for name in PARAMETERS]
    positive = [kernel.outputscale_prior, kernel.base_kernel.lengthscale_prior, noise.noise_prior]
    location = np.concatenate([p.loc.numpy().ravel() for p in (*law, *positive)])
    scale = np.concatenate([p.scale.numpy().ravel() for p in (*law, *positive)])
    return NormalPriors(location, scale, np.arange(len(location)) >= len(law))


def _parameters(model: AmdahlGP) -> list[Tensor]:
    """The law's parameters, then the positive ones; no constraint has a transform."""
    kernel = model.covar_module
    law = [getattr(model.mean_module, name) for name in PARAMETERS]
    noise = model.likelihood.noise_covar.raw_noise
    return [*law, kernel.raw_outputscale, kernel.base_kernel.raw_lengthscale, noise]


def _constraints(model: AmdahlGP) -> list[Interval]:
    """The constraints of `_parameters`."""
    kernel = model.covar_module
    law = [model.mean_module.constraint_for_parameter_name(name) for name in PARAMETERS]
    return [
        *law,
        kernel.raw_outputscale_constraint,
        kernel.base_kernel.raw_lengthscale_constraint,
        model.likelihood.noise_covar.raw_noise_constraint,
    ]


def _is_plain_interval(constraint: Interval) -> bool:
    bounds = (constraint.lower_bound, constraint.upper_bound)
    return not constraint.enforced and all(b.numel() == 1 for b in bounds)


def _bounds(model: AmdahlGP) -> Vector:
    rows = []
    for position, (parameter, constraint) in enumerate(
        zip(_parameters(model), _constraints(model), strict=True)
    ):
        bounds = np.array([constraint.lower_bound.item(), constraint.upper_bound.item()])
        rows += [bounds if position < len(PARAMETERS) else np.log(bounds)] * parameter.numel()
    return np.array(rows)


def _current(model: AmdahlGP) -> Vector:
    law, positive = _split(_parameters(model))
    values = [p.detach().flatten() for p in law] + [p.detach().flatten().log() for p in positive]
    return np.asarray(torch.cat(values).numpy())


def _assign(model: AmdahlGP, x: Vector) -> None:
    position = 0
    law, positive = _split(_parameters(model))
    for parameter in (*law, *positive):
        part = torch.as_tensor(x[position : position + parameter.numel()])
        position += parameter.numel()
        physical = part if position <= len(law) else part.exp()
        parameter.data.copy_(physical.reshape(parameter.shape))


def _split(parameters: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    return parameters[: len(PARAMETERS)], parameters[len(PARAMETERS) :]


def _starts(model: AmdahlGP) -> list[Vector]:
    centre, current = _priors(model).location, _current(model)
    if not np.allclose(current, np.clip(centre, *_bounds(model).T)):
        return [current, centre]
    half_serial, strong_residual = centre.copy(), centre.copy()
    half_serial[1] = 0.0
    strong_residual[4] += 2.0
    return [centre, half_serial, strong_residual]


def _with_startup(prior: LawPrior, relative: float) -> LawPrior:
    log_t1, logit_p, _, k = prior.location
    sd_t1, sd_p, _, sd_k = prior.scale
    log_c = math.log(max(relative, 1e-6))
    return LawPrior((log_t1, logit_p, log_c, k), (sd_t1, sd_p, STARTUP_SCALE, sd_k))
