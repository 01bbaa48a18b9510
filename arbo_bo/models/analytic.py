"""The fit of an `AmdahlGP` by the numerics: its hyperparameters as one vector, and back."""

import numpy as np
import torch
from gpytorch.constraints import Interval
from gpytorch.mlls import ExactMarginalLogLikelihood, MarginalLogLikelihood
from gpytorch.priors import LogNormalPrior, NormalPrior
from torch import Tensor

from arbo_bo.experiment import Residual
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.batches import members
from arbo_bo.models.kernel import RunNoise
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.fitting import noise_inflation_at, searched
from arbo_bo.numerics.priors import DEFAULT_PRIORS
from arbo_bo.numerics.problem import FitProblem


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
    starts, and at a law that explains little, under a strong residual. All start with much noise,
    too.
    """
    for member in members(model):
        assign(member, searched([problem_of(member)])[0])


def calibrate(model: AmdahlGP) -> None:
    """Inflates the noise of a fitted model to what predicts (`arbo_bo.numerics.fitting`).

    A noise that the user has frozen is left as it is.
    """
    if not model.likelihood.raw_noise.requires_grad:
        return
    for member in members(model):
        found = noise_inflation_at([problem_of(member)], current(member)[None])
        member.likelihood.inflate(float(found[0]))


def problem_of(model: AmdahlGP) -> FitProblem:
    """What a fit of a single model solves, from where its hyperparameters are."""
    y, log_scale = model.train_targets.detach().numpy(), model.mean_module.time_scale.log().item()
    normals, (low, high) = _normals(model), _bounds(model).T
    return FitProblem(
        X=model.train_inputs[0].detach().numpy(),
        y=y - log_scale if model.residual is Residual.MULTIPLICATIVE else y,
        law=model.mean_module.LAW,
        residual=model.residual,
        log_scale=log_scale,
        location=normals[:, 0],
        scale=normals[:, 1],
        low=low,
        high=high,
        start=current(model),
        censored=np.zeros(len(y), dtype=bool),
        priors=DEFAULT_PRIORS,
    )


def _normals(model: AmdahlGP) -> Vector:
    """Mean and standard deviation of the prior on each law parameter and positive logarithm.

    A lognormal prior's density by the logarithm is normal around its mean, and carries a factor of
    the value's inverse: together a normal one around the mean less its variance.
    """
    kernel, noise = model.covar_module, model.likelihood.noise_covar
    law = [getattr(model.mean_module, f"{name}_prior") for name in _names(model)]
    positive = [kernel.outputscale_prior, kernel.smooth.lengthscale_prior, noise.noise_prior]
    pairs = [(p.loc.numpy().ravel(), p.scale.numpy().ravel()) for p in law]
    logs = [(p.loc.numpy().ravel(), p.scale.numpy().ravel()) for p in positive]
    pairs += [(location - scale**2, scale) for location, scale in logs]
    return np.concatenate([np.column_stack(pair) for pair in pairs])


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
