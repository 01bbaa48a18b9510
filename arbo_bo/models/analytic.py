"""The analytic gradient of an `AmdahlGP`'s fit: its hyperparameters as one vector, and back."""

import math
from dataclasses import replace

import numpy as np
import torch
from gpytorch.constraints import Interval
from gpytorch.mlls import ExactMarginalLogLikelihood, MarginalLogLikelihood
from gpytorch.priors import LogNormalPrior, NormalPrior
from scipy.optimize import minimize
from torch import Tensor

from arbo_bo.formulas.evidence import Evidence, NormalPriors, Vector
from arbo_bo.formulas.kernel import features
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.batches import members
from arbo_bo.models.kernel import RunNoise

FTOL = 1e-8
"""Relative change of the log density at which a search ends."""
HESSIAN_STEP = 1e-4
OPEN_NOISE, OPEN_SPREAD = 0.1, 3.0
"""Most probable standard deviation of a run's noise, and the spread of its variance's logarithm."""
WIDEST = 1.0
"""The largest variance of log noise that a prediction is widened by: Student's t with nu = 2."""


def has_analytic_gradient(mll: MarginalLogLikelihood) -> bool:
    """Whether `fit_by_analytic_gradient` maximises just what `mll` is."""
    own = mll.likelihood is mll.model.likelihood
    return own and type(mll) is ExactMarginalLogLikelihood and has_evidence(mll.model)


def has_evidence(model: AmdahlGP) -> bool:
    """Whether `Evidence` is the density of just this model's hyperparameters.

    So it is on the CPU, with inferred noise, and with every parameter bounded and under a prior of
    the kind that the class sets up.
    """
    if type(model.likelihood) is not RunNoise or model.train_targets.device.type != "cpu":
        return False
    expected = {id(p) for p in _parameters(model)}
    priors = [prior for _, _, prior, *_ in model.named_priors()]
    law = [getattr(model.mean_module, f"{name}_prior", None) for name in _names(model)]
    return (
        {id(p) for p in model.parameters()} == expected
        and all(type(prior) is NormalPrior for prior in law)
        and all(type(p) is LogNormalPrior for p in priors if not any(p is own for own in law))
        and len(priors) == len(expected)
        and all(_is_plain_interval(c) for c in _constraints(model))
    )


def fit_by_analytic_gradient(model: AmdahlGP) -> None:
    """Sets hyperparameters to the best of several local optima, each member of a batch by itself.

    The objective is n times that of `ExactMarginalLogLikelihood`. A model that was moved from its
    priors' centre starts where it is and at the centre; a fresh one at the centre, at the law's own
    `STARTS`, and at a law that explains little, under a strong residual.
    """
    for member in members(model):
        evidence = evidence_of(member)
        found = [maximised(member, evidence, start) for start in _starts(member)]
        assign(member, max(found, key=lambda pair: pair[0])[1])


def maximised(model: AmdahlGP, evidence: Evidence, start: Vector) -> tuple[float, Vector]:
    """The largest log density that a search from `start` finds inside the model's bounds."""
    low, high = _bounds_of(model, evidence).T

    def loss(x: Vector) -> tuple[float, Vector]:
        value, gradient = evidence.log_density(x)
        return -value, -gradient

    result = minimize(
        loss,
        np.clip(start, low, high),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 300, "ftol": FTOL},
    )
    return -float(result.fun), np.asarray(result.x)


def with_diffuse_noise_prior(model: AmdahlGP) -> Evidence:
    """The model's evidence under a prior that finds no size of noise surprising."""
    evidence = evidence_of(model)
    location, scale = evidence.priors.location.copy(), evidence.priors.scale.copy()
    location[-1], scale[-1] = 2 * math.log(OPEN_NOISE), OPEN_SPREAD
    logarithmic = evidence.priors.logarithmic.copy()
    logarithmic[-1] = False
    return replace(evidence, priors=NormalPriors(location, scale, logarithmic))


def calibrate(model: AmdahlGP) -> None:
    """Inflates the noise of a fitted model to what predicts, of runs that were seen and to come.

    The best noise under the best law is too small, as a variance that divides by n is, and its
    prior keeps it small besides: it is searched anew under `with_diffuse_noise_prior`, with the
    kernel, and with the law integrated out (`Evidence.integrated`). Its own uncertainty, v being
    the variance of its logarithm, makes the next run's law heavy-tailed like Student's t with nu =
    2 / v; a normal with exp(v) times the noise has about the same 90 % interval. A noise that the
    user has frozen is left as it is.
    """
    if not model.likelihood.raw_noise.requires_grad:
        return
    for member in members(model):
        member.likelihood.inflate(_noise_inflation(member))


def _noise_inflation(model: AmdahlGP) -> float:
    x, m = current(model), len(_names(model))
    integrated = with_diffuse_noise_prior(model).integrated(x)
    _, kernel = maximised(model, integrated, x[m:])
    step = HESSIAN_STEP * (np.arange(len(kernel)) == len(kernel) - 1)
    slopes = [integrated.log_density(kernel + sign * step)[1][-1] for sign in (-1, 1)]
    curvature = max((slopes[0] - slopes[1]) / (2 * HESSIAN_STEP), 1 / WIDEST)
    return max(math.exp(kernel[-1] + 1 / curvature - x[-1]), 1.0)


def evidence_of(model: AmdahlGP) -> Evidence:
    """The model's log posterior density of (law, log outputscale, log lengthscales, log noise)."""
    X = model.train_inputs[0].detach().numpy()

    def mean(parameters: Vector) -> tuple[Vector, Vector]:
        return model.mean_module.values_and_jacobian(X[:, 0], X[:, 1], parameters)

    return Evidence(mean, features(X), model.train_targets.detach().numpy(), _priors(model))


def log_evidence(model: AmdahlGP) -> float:
    """Laplace's approximation of a fitted model's log evidence, its hyperparameters integrated out.

    log p(y, x) + m / 2 log 2 pi - log det(-H) / 2 at the best hyperparameters x, H being the
    Hessian of the log density there, from differences of its gradient. It weighs means with
    different numbers of parameters against each other.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, 5.2.
    """
    evidence, x = evidence_of(model), current(model)
    value, _ = evidence.log_density(x)
    steps = HESSIAN_STEP * np.eye(len(x))
    rows = [evidence.log_density(x + step)[1] - evidence.log_density(x - step)[1] for step in steps]
    hessian = np.array(rows) / (2 * HESSIAN_STEP)
    # A bound may end the search on a slope; a curvature below the prior's is not to be believed.
    curvature = np.linalg.eigvalsh(-(hessian + hessian.T) / 2)
    curvature = np.maximum(curvature, 1 / evidence.priors.scale.max() ** 2)
    value += 0.0 if model.explanation is None else model.explanation.cost
    return value + 0.5 * len(x) * math.log(2 * math.pi) - 0.5 * float(np.log(curvature).sum())


def _priors(model: AmdahlGP) -> NormalPriors:
    kernel, noise = model.covar_module, model.likelihood.noise_covar
    law = [getattr(model.mean_module, f"{name}_prior") for name in _names(model)]
    positive = [kernel.outputscale_prior, kernel.smooth.lengthscale_prior, noise.noise_prior]
    location = np.concatenate([p.loc.numpy().ravel() for p in (*law, *positive)])
    scale = np.concatenate([p.scale.numpy().ravel() for p in (*law, *positive)])
    return NormalPriors(location, scale, np.arange(len(location)) >= len(law))


def _parameters(model: AmdahlGP) -> list[Tensor]:
    """The law's parameters, then the positive ones; no constraint has a transform."""
    kernel = model.covar_module
    law = [getattr(model.mean_module, name) for name in _names(model)]
    noise = model.likelihood.noise_covar.raw_noise
    return [*law, kernel.raw_outputscale, kernel.smooth.raw_lengthscale, noise]


def _constraints(model: AmdahlGP) -> list[Interval]:
    """The constraints of `_parameters`."""
    kernel = model.covar_module
    law = [model.mean_module.constraint_for_parameter_name(name) for name in _names(model)]
    return [
        *law,
        kernel.raw_outputscale_constraint,
        kernel.smooth.raw_lengthscale_constraint,
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
        pair = np.array([constraint.lower_bound.item(), constraint.upper_bound.item()])
        bounds = np.tile(pair, (parameter.numel(), 1))
        if not parameter.requires_grad:  # frozen where it is
            bounds[:] = parameter.detach().numpy().reshape(-1, 1)
        rows.append(bounds if position < len(_names(model)) else np.log(bounds))
    return np.concatenate(rows)


def _bounds_of(model: AmdahlGP, evidence: Evidence) -> Vector:
    """Bounds of the evidence's hyperparameters, which may have none or one more of the mean's."""
    bounds, law = _bounds(model), len(_names(model))
    size = len(evidence.priors.location)
    if size == len(bounds) - law:
        return bounds[law:]
    more = [law] * (size - len(bounds))
    return np.insert(bounds, more, (-np.inf, np.inf), axis=0)


def current(model: AmdahlGP) -> Vector:
    """The hyperparameters as the vector of `evidence_of`."""
    law, (outputscale, lengthscale, _) = _split(model)
    positive = [outputscale, lengthscale, model.likelihood.fitted_noise]
    values = [p.detach().flatten() for p in law] + [p.detach().flatten().log() for p in positive]
    return np.asarray(torch.cat(values).numpy())


def assign(model: AmdahlGP, x: Vector) -> None:
    """Sets them; the noise is not inflated then."""
    model.likelihood.inflate(1.0)
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
    centre, here = _priors(model).mode, current(model)
    if not np.allclose(here, np.clip(centre, *_bounds(model).T)):
        return [here, centre]
    names = _names(model)
    starts = [centre]
    for values in model.mean_module.STARTS:
        start = centre.copy()
        start[[names.index(name) for name in values]] = list(values.values())
        starts.append(start)
    strong_residual = centre.copy()
    strong_residual[len(names)] += 2.0
    return [*starts, strong_residual]
