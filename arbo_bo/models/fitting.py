"""Finding the hyperparameters of an `AmdahlGP`: maximum a posteriori, from few runs, quickly."""

from typing import Any

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.optim.fit import fit_gpytorch_mll_scipy
from gpytorch.mlls import ExactMarginalLogLikelihood, MarginalLogLikelihood
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from arbo_bo.errors import NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import AmdahlLaw, Residual
from arbo_bo.formulas.evidence import Evidence, NormalPriors
from arbo_bo.formulas.kernel import features
from arbo_bo.formulas.law import PARAMETERS, amdahl_jacobian
from arbo_bo.models import kernel as hyperpriors
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.hyperparameters import Hyperparameters
from arbo_bo.models.mean import BOUNDS, LawPrior

Vector = NDArray[np.float64]

ANCHOR_SCALE = (1.5, 0.1, 0.3, 0.1)
"""Standard deviations around a law that was learned before, for a window of one degree: its level
is free, its shape is kept."""
FTOL = 1e-8
"""Relative change of the log density at which a search ends: 1e-6 of it, where it is about 100."""
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
    degree says nothing about p: the law of `warm_start` is then the prior, with its level free.

    Args:
        train_X: ``n x 3``: s, gamma, L in physical units.
        execution_time_s: ``n x 1``, above 0 [s].
        residual: "multiplicative" or "additive".
        warm_start: Where to start from; it changes how long the fit takes, not what it finds,
            unless the window holds one degree only.
        startup_time_s: A measured typical start-up time, above 0 [s]; None: unknown.

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
    prior = LawPrior()
    if warm_start is not None and len(X[:, 0].unique()) == 1:
        prior = anchored_prior(warm_start.law)
    scale = prior.time_scale(X[:, 0], X[:, 1], time.squeeze(-1))
    if startup_time_s is not None:
        prior = _with_startup(prior, startup_time_s / scale.item())
    Y = AmdahlGP.outcome_of_time(time, residual)
    model = AmdahlGP(X, Y, residual=residual, law_prior=prior, time_scale=scale)
    if warm_start is not None:
        model.start_from(warm_start)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def anchored_prior(law: AmdahlLaw) -> LawPrior:
    """A prior that keeps a known law's p, k and C / T1, and leaves its level free."""
    p = min(max(law.p, 1e-4), 1 - 1e-4)
    log_c = np.log(max(law.c_s / law.t1_s, 1e-6))
    return LawPrior((0.0, float(np.log(p / (1 - p))), float(log_c), law.k), ANCHOR_SCALE)


def fit_by_autograd(mll: MarginalLogLikelihood, **options: Any) -> MarginalLogLikelihood:
    """Fits any `AmdahlGP`, batches included, by BoTorch's L-BFGS-B on autograd."""
    optimizer = options.pop("optimizer", fit_gpytorch_mll_scipy)
    optimizer_kwargs = options.pop("optimizer_kwargs", {})
    closure = options.pop("closure", None)
    mll.train()
    optimizer(mll, closure=closure, **optimizer_kwargs)
    return mll.eval()


def fit_by_analytic_gradient(model: AmdahlGP) -> None:
    """Sets a single model's hyperparameters to the best of several local optima.

    The objective is the one of `ExactMarginalLogLikelihood` (times n). Starts: the current values,
    the priors' centre, a half-serial law, and a law that explains little (a strong residual).
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
    law = [getattr(model.mean_module, f"{name}_prior") for name in PARAMETERS]
    kernel, noise = model.covar_module, model.likelihood.noise_covar
    positive = [
        kernel.outputscale_prior,
        kernel.base_kernel.lengthscale_prior,
        noise.noise_prior,
    ]
    location = np.concatenate([p.loc.numpy().ravel() for p in (*law, *positive)])
    scale = np.concatenate([p.scale.numpy().ravel() for p in (*law, *positive)])
    return NormalPriors(location, scale, np.arange(len(location)) >= len(law))


def _bounds(model: AmdahlGP) -> Vector:
    rows = [BOUNDS[name] for name in PARAMETERS]
    unit = 1.0
    if model.residual is Residual.ADDITIVE:
        unit = model.mean_module.time_scale.item() ** 2
    low, high = hyperpriors.OUTPUTSCALE_BOUNDS
    positive = [(low * unit, high * unit), *[hyperpriors.LENGTHSCALE_BOUNDS] * 3]
    low, high = hyperpriors.NOISE_BOUNDS
    positive.append((low * unit, high * unit))
    return np.concatenate([rows, np.log(positive)])


def _parameters(model: AmdahlGP) -> tuple[list[Tensor], list[Tensor]]:
    """The law's parameters, and the positive ones; the constraints have no transform."""
    kernel = model.covar_module
    law = [getattr(model.mean_module, name) for name in PARAMETERS]
    noise = model.likelihood.noise_covar.raw_noise
    return law, [kernel.raw_outputscale, kernel.base_kernel.raw_lengthscale, noise]


def _current(model: AmdahlGP) -> Vector:
    law, positive = _parameters(model)
    values = [p.detach().flatten() for p in law] + [p.detach().flatten().log() for p in positive]
    return np.asarray(torch.cat(values).numpy())


def _assign(model: AmdahlGP, x: Vector) -> None:
    law, positive = _parameters(model)
    values = torch.as_tensor(x)
    position = 0
    for parameter in (*law, *positive):
        part = values[position : position + parameter.numel()]
        position += parameter.numel()
        is_law = any(parameter is p for p in law)
        parameter.data.copy_((part if is_law else part.exp()).reshape(parameter.shape))


def _starts(model: AmdahlGP) -> list[Vector]:
    """Where the search begins: the current values, the priors' centre and two rival explanations.

    The rivals are a half-serial law and a law that explains little, under a strong residual.
    """
    centre = _priors(model).location
    half_serial, strong_residual = centre.copy(), centre.copy()
    half_serial[1] = 0.0
    strong_residual[4] += 2.0
    starts = [_current(model), centre, half_serial, strong_residual]
    return starts[1:] if np.allclose(starts[0], centre) else starts


def _with_startup(prior: LawPrior, relative: float) -> LawPrior:
    log_t1, logit_p, _, k = prior.location
    sd_t1, sd_p, _, sd_k = prior.scale
    log_c = float(np.log(max(relative, 1e-6)))
    return LawPrior((log_t1, logit_p, log_c, k), (sd_t1, sd_p, STARTUP_SCALE, sd_k))
