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
from arbo_bo.experiment import MeanFunction, Residual
from arbo_bo.experiment.law import DEFAULT_MEAN
from arbo_bo.formulas.evidence import Evidence, NormalPriors
from arbo_bo.formulas.kernel import features
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.hyperparameters import Hyperparameters
from arbo_bo.models.kernel import LogNormal, ResidualPrior
from arbo_bo.models.mean import MEANS, LawPrior, ScalabilityMean

Vector = NDArray[np.float64]

IDENTIFYING_RATIO = 1.5
"""A window whose largest degree is less than this times its smallest says too little about p."""
ANCHOR_RESIDUAL_SCALE = 0.5
"""Standard deviation of the logarithm around hyperparameters that were learned before."""
FTOL = 1e-8
"""Relative change of the log density at which a search ends."""
HESSIAN_STEP = 1e-4
STARTUP_SCALE = 0.3
"""Standard deviation of log C around the logarithm of a measured start-up time."""


def fit_amdahl_gp(
    train_X: Tensor,
    execution_time_s: Tensor,
    residual: Residual | str = Residual.MULTIPLICATIVE,
    warm_start: Hyperparameters | None = None,
    startup_time_s: float | None = None,
    mean: MeanFunction | str = DEFAULT_MEAN,
) -> AmdahlGP:
    """Fits an `AmdahlGP` to a window of runs.

    The law is learned jointly with the kernel and the noise, by maximum marginal likelihood under
    priors. Any two degrees identify Amdahl's law; s = 1 is not needed. A window that holds one
    degree, or degrees that are nearly the same, says nothing about p (`identifies_law`): what
    `warm_start` holds is then the prior, with the law's level free, and of its mean if `mean` is
    "auto".

    Args:
        train_X: ``n x 3``: s, gamma, L in physical units.
        execution_time_s: ``n x 1``, above 0 [s].
        residual: "multiplicative" or "additive".
        warm_start: Where to start from, so that one further start is guard enough.
        startup_time_s: A measured typical start-up time, 0 or more [s]; None: unknown.
        mean: Which law; "auto" fits them all and keeps the one with the largest evidence
            (`log_evidence`).

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
    residual, mean = Residual(residual), MeanFunction(mean)

    def fitted(kind: MeanFunction) -> AmdahlGP:
        model = _unfitted(X, time, residual, warm_start, startup_time_s, MEANS[kind])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        return model

    if mean is not MeanFunction.AUTO:
        return fitted(mean)
    if not identifies_law(X[:, 0].tolist()):
        return fitted(DEFAULT_MEAN if warm_start is None else warm_start.mean)
    return max((fitted(kind) for kind in MEANS), key=log_evidence)


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


def log_evidence(model: AmdahlGP) -> float:
    """Laplace's approximation of a fitted model's log evidence, its hyperparameters integrated out.

    log p(y, x) + m / 2 log 2 pi - log det(-H) / 2 at the best hyperparameters x, H being the
    Hessian of the log density there, from differences of its gradient. It weighs means with
    different numbers of parameters against each other.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, 5.2.
    """
    evidence, x = evidence_of(model), _current(model)
    value, _ = evidence.log_density(x)
    steps = HESSIAN_STEP * np.eye(len(x))
    rows = [evidence.log_density(x + step)[1] - evidence.log_density(x - step)[1] for step in steps]
    hessian = np.array(rows) / (2 * HESSIAN_STEP)
    # A bound may end the search on a slope; a curvature below the prior's is not to be believed.
    curvature = np.linalg.eigvalsh(-(hessian + hessian.T) / 2)
    curvature = np.maximum(curvature, 1 / evidence.priors.scale.max() ** 2)
    return value + 0.5 * len(x) * math.log(2 * math.pi) - 0.5 * float(np.log(curvature).sum())


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
    priors' centre starts where it is and at the centre; a fresh one at the centre, at the law's own
    `STARTS`, and at a law that explains little, under a strong residual.
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

    def mean(parameters: Vector) -> tuple[Vector, Vector]:
        return model.mean_module.values_and_jacobian(X[:, 0], X[:, 1], parameters)

    return Evidence(mean, features(X), model.train_targets.detach().numpy(), _priors(model))


def _priors(model: AmdahlGP) -> NormalPriors:
    kernel, noise = model.covar_module, model.likelihood.noise_covar
    law = [getattr(model.mean_module, f"{name}_prior") for name in _names(model)]
    positive = [kernel.outputscale_prior, kernel.base_kernel.lengthscale_prior, noise.noise_prior]
    location = np.concatenate([p.loc.numpy().ravel() for p in (*law, *positive)])
    scale = np.concatenate([p.scale.numpy().ravel() for p in (*law, *positive)])
    return NormalPriors(location, scale, np.arange(len(location)) >= len(law))


def _parameters(model: AmdahlGP) -> list[Tensor]:
    """The law's parameters, then the positive ones; no constraint has a transform."""
    kernel = model.covar_module
    law = [getattr(model.mean_module, name) for name in _names(model)]
    noise = model.likelihood.noise_covar.raw_noise
    return [*law, kernel.raw_outputscale, kernel.base_kernel.raw_lengthscale, noise]


def _constraints(model: AmdahlGP) -> list[Interval]:
    """The constraints of `_parameters`."""
    kernel = model.covar_module
    law = [model.mean_module.constraint_for_parameter_name(name) for name in _names(model)]
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
        rows += [bounds if position < len(_names(model)) else np.log(bounds)] * parameter.numel()
    return np.array(rows)


def _current(model: AmdahlGP) -> Vector:
    law, positive = _split(model)
    values = [p.detach().flatten() for p in law] + [p.detach().flatten().log() for p in positive]
    return np.asarray(torch.cat(values).numpy())


def _assign(model: AmdahlGP, x: Vector) -> None:
    position = 0
    law, positive = _split(model)
    for parameter in (*law, *positive):
        part = torch.as_tensor(x[position : position + parameter.numel()])
        position += parameter.numel()
        physical = part if position <= len(law) else part.exp()
        parameter.data.copy_(physical.reshape(parameter.shape))


def _split(model: AmdahlGP) -> tuple[list[Tensor], list[Tensor]]:
    parameters, law = _parameters(model), len(_names(model))
    return parameters[:law], parameters[law:]


def _names(model: AmdahlGP) -> list[str]:
    """The law's parameters, in its order."""
    return list(model.mean_module.PARAMETERS)


def _starts(model: AmdahlGP) -> list[Vector]:
    centre, current = _priors(model).location, _current(model)
    if not np.allclose(current, np.clip(centre, *_bounds(model).T)):
        return [current, centre]
    names = _names(model)
    starts = [centre]
    for values in model.mean_module.STARTS:
        start = centre.copy()
        start[[names.index(name) for name in values]] = list(values.values())
        starts.append(start)
    strong_residual = centre.copy()
    strong_residual[len(names)] += 2.0
    return [*starts, strong_residual]
