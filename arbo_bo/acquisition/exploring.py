"""Acquisition functions that run a degree in order to learn of it."""

import math
from typing import Any

import torch
from botorch.acquisition.analytic import _log_ei_helper
from botorch.acquisition.input_constructors import acqf_input_constructor
from botorch.models.model import Model
from botorch.utils.transforms import t_batch_mode_transform
from torch import Tensor
from torch.linalg import solve_triangular

from arbo_bo.acquisition.positive_normal import cut_draw, log_improvement
from arbo_bo.acquisition.score import ExploringAcquisition, ScoreAcquisition, beside, safe_root
from arbo_bo.errors import ShapeError
from arbo_bo.experiment import Objective, Residual, validation

TOGETHER = 512
"""Points whose joint posterior with the draw is taken at once."""
MOST_DRAWN = 128
"""A joint draw is made at this many degrees at most; between them it is what they imply."""


class LogScoreExpectedImprovement(ExploringAcquisition):
    """Logarithm of the expected improvement of -log Score over an incumbent, noise-free.

    log E[max(U(x) - best_f, 0)] with U = -log Score = -(a log T + log Cost(s)), which is normal for
    a multiplicative residual (`NegativeLogScore`); there it is log sigma + log(phi(z) + z Phi(z)),
    z = (mean - best_f) / sigma, sound where the improvement itself underflows. For an additive
    residual it is a quadrature over T > 0.

    Args:
        model: As in `ScoreAcquisition`.
        best_f: The incumbent's -log Score at *this* context (see `incumbent`), a number or of the
            model's batch shape. One from other contexts makes every improvement vanish.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: As in `ScoreAcquisition`.
        X_pending: As in `ExploringAcquisition`.

    Source: Ament et al., "Unexpected improvements to expected improvement", 2023.
    """

    def __init__(
        self,
        model: Model,
        best_f: float | Tensor,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, objective, residual, X_pending)
        self.register_buffer("best_f", torch.as_tensor(best_f, dtype=torch.float64))

    @t_batch_mode_transform(expected_q=1)
    def forward(self, X: Tensor) -> Tensor:
        """Evaluates the log expected improvement.

        Args:
            X: ``batch_shape x 1 x d`` in physical units, column 0 being s, at least 1.

        Returns:
            ``batch_shape``: higher is better; exp(value) is the improvement in log units of the
            score, 0.01 being about a hundredth of it.
        """
        best = self.best_f.to(X)
        if self.residual is Residual.ADDITIVE:
            a = self.objective.urgency
            log_t = -(best + self.utility.offset(X).squeeze(-1)) / a
            return math.log(a) + log_improvement(*self._outcome(X), log_t)
        mean, std = self._utility(X)
        return _log_ei_helper((mean - best) / std) + std.log()


def incumbent(
    model: Model,
    choices: Tensor,
    objective: Objective | None = None,
    residual: Residual | str | None = None,
) -> Tensor:
    """The best expected -log Score, noise-free, over the allowed degrees at one context.

    Args:
        model: As in `ScoreAcquisition`.
        choices: ``n x d``: every allowed degree at this context.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.

    Returns:
        The model's batch shape.
    """
    return expected_utility(model, choices, objective, residual).amax(0)


def expected_utility(
    model: Model,
    choices: Tensor,
    objective: Objective | None = None,
    residual: Residual | str | None = None,
) -> Tensor:
    """E[-log Score], noise-free, at each of some choices: ``n`` x the model's batch shape."""
    acquisition = LowerConfidenceBound(model, 0.0, objective, residual)
    X = choices.reshape(len(choices), *(1 for _ in model.batch_shape), 1, choices.shape[-1])
    with torch.no_grad():
        return torch.cat([acquisition(part) for part in X.split(1024)])


def thinned(choices: Tensor) -> Tensor:
    """At most 128 of the choices, evenly spaced in their order."""
    return choices[:: -(-len(choices) // MOST_DRAWN)]


class LowerConfidenceBound(ExploringAcquisition):
    """-(mean - kappa std) of log Score, noise-free: a degree that could be good is tried.

    Args:
        model: As in `ScoreAcquisition`.
        kappa: 0 or more.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
        X_pending: As in `ExploringAcquisition`.

    Source: Srinivas et al., "Gaussian process optimization in the bandit setting", 2010.
    """

    def __init__(
        self,
        model: Model,
        kappa: float = 1.0,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, objective, residual, X_pending)
        self.kappa = validation.non_negative("kappa", kappa)

    @t_batch_mode_transform(expected_q=1)
    def forward(self, X: Tensor) -> Tensor:
        """Evaluates the bound on -log Score.

        Args:
            X: ``batch_shape x 1 x d`` in physical units, column 0 being s, at least 1.

        Returns:
            ``batch_shape``: higher is better.
        """
        mean, std = self._utility(X)
        return mean + self.kappa * std


class RiskAverseScore(ScoreAcquisition):
    """-(mean + kappa std) of the next run's log Score, its noise included: what could be bad waits.

    Args:
        model: As in `ScoreAcquisition`.
        kappa: 0 or more.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
    """

    def __init__(
        self,
        model: Model,
        kappa: float = 1.0,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
    ) -> None:
        super().__init__(model, objective, residual)
        self.kappa = validation.non_negative("kappa", kappa)

    @t_batch_mode_transform(expected_q=1)
    def forward(self, X: Tensor) -> Tensor:
        """Evaluates the bound on -log Score.

        Args:
            X: ``batch_shape x 1 x d`` in physical units, column 0 being s, at least 1.

        Returns:
            ``batch_shape``: higher is better.
        """
        mean, std = self._utility_of(X, *self._next_run(X))
        return mean - self.kappa * std


class ThompsonSampling(ExploringAcquisition):
    """-log Score of one joint draw of the noise-free posterior over the allowed degrees.

    The draw f at the choices C is made once, here; elsewhere the value is what f implies, mean(x) +
    Cov(x, C) Cov(C, C)^-1 (f - mean(C)), which at the choices is f itself. Of more than 128 choices
    the draw is made at 128, evenly spaced in their order. Of a time cut to T > 0 the draw keeps its
    quantile.

    Args:
        model: As in `ScoreAcquisition`.
        choices: ``n x d``: every allowed degree at this context.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
        X_pending: Runs under way; the draw is given their expected times.
        seed: The same seed makes the same draw.

    Source: Thompson, "On the likelihood that one unknown probability exceeds another", 1933.
    """

    def __init__(
        self,
        model: Model,
        choices: Tensor,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        if choices.ndim != 2 or not len(choices):
            raise ShapeError(f"choices needs shape (n, d), got {tuple(choices.shape)}")
        super().__init__(model, objective, residual, X_pending)
        self.register_buffer("choices", thinned(choices))
        generator = torch.Generator().manual_seed(seed)
        shape = (*model.batch_shape, len(self.choices))
        normal = torch.randn(shape, generator=generator, dtype=torch.float64)
        self.register_buffer("normal", normal.to(choices))

    @t_batch_mode_transform(expected_q=1)
    def forward(self, X: Tensor) -> Tensor:
        """Evaluates the draw.

        Args:
            X: ``batch_shape x 1 x d`` in physical units, column 0 being s, at least 1.

        Returns:
            ``batch_shape``: higher is better.
        """
        outcome = self._drawn(X)
        if self.residual is Residual.ADDITIVE:
            outcome = cut_draw(*self._outcome(X), outcome).log()
        return -(self.objective.urgency * outcome + self.utility.offset(X).squeeze(-1))

    def _drawn(self, X: Tensor) -> Tensor:
        """The draw at each point, ``batch_shape``."""
        known, weights = self._draw()
        if self.model.batch_shape:
            return self._implied(X, known, weights).squeeze(-1)
        # One joint posterior of many points is far cheaper than one for each of them.
        parts = X.reshape(-1, X.shape[-1]).split(TOGETHER)
        return torch.cat([self._implied(part, known, weights) for part in parts]).reshape(
            X.shape[:-2]
        )

    def _implied(self, X: Tensor, known: Tensor, weights: Tensor) -> Tensor:
        """What the draw at `known` implies at ``batch_shape x q x d``, ``batch_shape x q``."""
        q, posterior = X.shape[-2], self.model.posterior(beside(X, known))
        covariance = posterior.distribution.covariance_matrix[..., :q, q:]
        return posterior.mean[..., :q, 0] + (covariance @ weights.unsqueeze(-1)).squeeze(-1)

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Where the draw is known, and Cov^-1 (f - mean) there; pending runs meet expectations."""
        known, normal = self.choices, self.normal
        if self.X_pending is not None:
            known = torch.cat([self.X_pending.to(known), known])
            told = normal.new_zeros(*normal.shape[:-1], len(self.X_pending))
            normal = torch.cat([told, normal], dim=-1)
        with torch.no_grad():
            root = safe_root(self.model.posterior(known).distribution.covariance_matrix)
            return known, solve_triangular(root.mT, normal.unsqueeze(-1), upper=True).squeeze(-1)


@acqf_input_constructor(LogScoreExpectedImprovement)
def _improvement_inputs(
    model: Model,
    choices: Tensor | None = None,
    best_f: float | Tensor | None = None,
    score: Objective | None = None,
    residual: Residual | str | None = None,
    X_pending: Tensor | None = None,
) -> dict[str, Any]:
    """Arguments of `LogScoreExpectedImprovement`; without ``best_f`` that of the ``choices``."""
    if best_f is None:
        best_f = incumbent(model, _required(choices), score, residual)
    return {
        "model": model,
        "best_f": best_f,
        "objective": score,
        "residual": residual,
        "X_pending": X_pending,
    }


@acqf_input_constructor(LowerConfidenceBound)
def _bound_inputs(
    model: Model,
    kappa: float = 1.0,
    score: Objective | None = None,
    residual: Residual | str | None = None,
    X_pending: Tensor | None = None,
) -> dict[str, Any]:
    """Arguments of `LowerConfidenceBound`."""
    return {
        "model": model,
        "kappa": kappa,
        "objective": score,
        "residual": residual,
        "X_pending": X_pending,
    }


@acqf_input_constructor(RiskAverseScore)
def _risk_inputs(
    model: Model,
    kappa: float = 1.0,
    score: Objective | None = None,
    residual: Residual | str | None = None,
) -> dict[str, Any]:
    """Arguments of `RiskAverseScore`."""
    return {"model": model, "kappa": kappa, "objective": score, "residual": residual}


@acqf_input_constructor(ThompsonSampling)
def _thompson_inputs(
    model: Model,
    choices: Tensor,
    score: Objective | None = None,
    residual: Residual | str | None = None,
    X_pending: Tensor | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Arguments of `ThompsonSampling`."""
    return {
        "model": model,
        "choices": choices,
        "objective": score,
        "residual": residual,
        "X_pending": X_pending,
        "seed": seed,
    }


def _required(choices: Tensor | None) -> Tensor:
    if choices is None:
        raise ShapeError(
            "the incumbent is per context: give best_f, or choices, the allowed degrees at this "
            "context, of shape (n, d)"
        )
    return choices
