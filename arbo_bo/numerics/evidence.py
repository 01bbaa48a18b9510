"""The log posterior density of hyperparameters with its gradient and Hessian, in batches (numpy).

Everything has one leading batch axis: the starts of a search, hypotheses about a window, tasks.

Source of the marginal likelihood and its gradient: C. E. Rasmussen and C. K. I. Williams, Gaussian
Processes for Machine Learning, MIT Press 2006, equations 2.30 and 5.9; of the average information,
A. R. Gilmour, R. Thompson and B. R. Cullis, Biometrics 1995.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.covariance import Covariance
from arbo_bo.numerics.laws import Law
from arbo_bo.numerics.linear_algebra import inverse_of, is_positive_definite

LOG_2PI = math.log(2 * math.pi)
EXACT_UP_TO = 64
"""Runs up to which the Hessian is exact. Beyond, the terms that take a product of n x n matrices
for each pair of hyperparameters are replaced by average information, which needs none."""


@dataclass(frozen=True)
class Evidence:
    """log p(y | x) + log p(x) of B vectors x of hyperparameters, over n observations each.

    x holds the law's m parameters (and a step's size, where there is a step), then log outputscale,
    d log lengthscales and log noise variance. The covariance is outputscale * (Matern-5/2 +
    structure) + noise * I, and `fixed`. Every prior is normal.

    Attributes:
        law: The mean's law.
        log_outcome: Whether outcomes are log(T / u), else T / u.
        squared: Squared distances by feature, ``B x d x n n``.
        structure: What is not learned of the correlation, ``B x n x n``.
        basis: The law's terms as functions of s, ``B x n x J``.
        log_gamma: ``B x n``.
        y: Outcomes, ``B x n``.
        location: Means of the priors, ``B x P``.
        scale: Their standard deviations, ``B x P``.
        low: Lower bounds, ``B x P``.
        high: Upper bounds, ``B x P``.
        mask: 1 for the observations that count, else 0, ``B x n``; None: all do.
        step: A further column of the mean, ``B x n``; None: there is none.
        fixed: A covariance without hyperparameters, ``B x n x n``; the mean is then `centre`, and x
            begins with log outputscale.
        centre: ``B x n``.
        active: Features by which any two observations differ; the others' lengthscales rest.
    """

    law: Law
    log_outcome: bool
    squared: Vector
    structure: Vector
    basis: Vector
    log_gamma: Vector
    y: Vector
    location: Vector
    scale: Vector
    low: Vector
    high: Vector
    mask: Vector | None
    step: Vector | None
    fixed: Vector | None
    centre: Vector | None
    active: NDArray[np.intp]

    @property
    def size(self) -> int:
        """n, those that do not count included."""
        return int(self.y.shape[-1])

    @property
    def mean_size(self) -> int:
        """How many of the hyperparameters are the mean's."""
        if self.centre is not None:
            return 0
        return len(self.law.parameters) + (self.step is not None)

    @property
    def _constant(self) -> Vector:
        """What the normal densities' constants add, shape (B,)."""
        prior = np.log(self.scale).sum(-1) + 0.5 * LOG_2PI * self.scale.shape[-1]
        count = self.size if self.mask is None else self.mask.sum(-1)
        return np.asarray(-prior - 0.5 * LOG_2PI * count)

    def take(self, index: Any) -> "Evidence":
        """Those members of the batch that the index selects."""
        arrays = {n: v[index] for n, v in vars(self).items() if n in _BATCHED and v is not None}
        return replace(self, **arrays)

    def integrated(self, x: Vector, prior_location: Vector, prior_scale: Vector) -> "Evidence":
        """The evidence with the law's parameters integrated out, linearised at x.

        With the mean's Jacobian J at x and its prior N(l, P), outcomes are normal around mean(x) +
        J (l - x), with the covariance J P J' beside the others.

        Args:
            x: ``B x P``.
            prior_location: l, ``B x m``.
            prior_scale: Roots of P, ``B x m``.
        """
        m = len(self.law.parameters)
        values, jacobian, _ = self._mean(x)
        assert jacobian is not None
        jacobian = jacobian[..., :m]
        centre = values + np.matmul(jacobian, (prior_location - x[:, :m])[..., None])[..., 0]
        root = jacobian * prior_scale[:, None, :]
        if self.mask is not None:
            root = root * self.mask[..., None]
        rest = slice(self.mean_size, None)
        return replace(
            self,
            location=self.location[:, rest],
            scale=self.scale[:, rest],
            low=self.low[:, rest],
            high=self.high[:, rest],
            step=None,
            fixed=np.matmul(root, np.swapaxes(root, -1, -2)),
            centre=centre,
        )

    def left_out(self, x: Vector) -> tuple[Vector, Vector, Vector]:
        """What the other observations predict of each.

        Returns:
            Residuals from the mean, ``B x n``; the inverse covariance, ``B x n x n``; and the
            inverse times the residuals, alpha. The prediction of observation i has mean y_i -
            alpha_i / inverse_ii and variance 1 / inverse_ii, its noise included (Rasmussen and
            Williams, equation 5.12).
        """
        covariance = self._covariance(x).total
        inverse = inverse_of(covariance, np.linalg.cholesky(covariance))
        residual = self._residual(self._mean(x)[0])
        return residual, inverse, np.matmul(inverse, residual[..., None])[..., 0]

    def evaluate(
        self, x: Vector, hessian: bool = True, exact: bool | None = None
    ) -> tuple[Vector, Vector, Vector]:
        """The log density, its gradient, and its negative Hessian.

        Args:
            x: ``B x P``.
            hessian: Whether the Hessian is wanted; else it is zeros.
            exact: Whether it is exact; None: up to `EXACT_UP_TO` observations.

        Returns:
            ``B``, ``B x P`` and ``B x P x P``; minus infinity where the covariance is not positive
            definite in double precision.
        """
        c = self._covariance(x)
        try:
            root = np.linalg.cholesky(c.total)
        except np.linalg.LinAlgError:
            return self._one_by_one(x, hessian, exact)
        exact = self.size <= EXACT_UP_TO if exact is None else exact
        n, m, d = self.size, self.mean_size, self.squared.shape[1]
        batch, active = len(x), self.active
        inverse = inverse_of(c.total, root)
        values, jacobian, curvature = self._mean(x)
        residual = self._residual(values)
        alpha = np.matmul(inverse, residual[..., None])[..., 0]  # 0 where the mask is
        z = (x - self.location) / self.scale
        half_log_det = np.log(np.diagonal(root, 0, -2, -1)).sum(-1)
        value = self._constant - 0.5 * (residual * alpha).sum(-1) - half_log_det
        value -= 0.5 * (z * z).sum(-1)

        by_covariance = alpha[:, :, None] * alpha[:, None, :]
        by_covariance -= inverse
        by_covariance *= 0.5
        flat = by_covariance.reshape(batch, n * n)
        # d covariance / d log lengthscale, of the active features: B x a x n n
        by_length = c.slope.reshape(batch, 1, n * n) * self.squared[:, active]
        by_length *= c.weights[:, active, None]
        length = np.matmul(by_length, flat[..., None])[..., 0]
        output = np.matmul(flat[:, None, :], c.kernel.reshape(batch, n * n, 1))[:, 0, 0]
        diagonal = flat[:, :: n + 1]
        noise = c.noise * (diagonal if self.mask is None else diagonal * self.mask).sum(-1)
        gradient = np.zeros_like(x)
        if jacobian is not None:
            gradient[:, :m] = np.matmul(alpha[:, None, :], jacobian)[:, 0]
        gradient[:, m], gradient[:, -1] = output, noise
        gradient[:, m + 1 + active] = length
        gradient -= z / self.scale
        if not hessian:
            return value, gradient, np.zeros((batch, x.shape[1], x.shape[1]))

        second = self._covariance_information(c, inverse, alpha, by_length, jacobian, exact)
        pairs = c.second(by_covariance, output, length, noise)
        second[:, m:, m:] -= pairs if exact else 0.5 * pairs
        if curvature is not None:
            law = len(self.law.parameters)
            second[:, :law, :law] -= curvature(alpha)
        where = np.concatenate((np.arange(m + 1), m + 1 + active, [m + d + 1]))
        result = np.zeros((batch, x.shape[1], x.shape[1]))
        result[:, where[:, None], where] = second
        every = np.arange(x.shape[1])
        result[:, every, every] += 1 / self.scale**2
        return value, gradient, result

    def _covariance_information(
        self,
        c: Covariance,
        inverse: Vector,
        alpha: Vector,
        by_length: Vector,
        jacobian: Vector | None,
        exact: bool,
    ) -> Vector:
        """The negative Hessian's part that first derivatives of mean and covariance make.

        v_i' K^-1 v_j, v_i being the mean's derivative, or dK_i alpha; less tr(K^-1 dK_i K^-1 dK_j)
        / 2 among the covariance's own. Average information is half of the former there.
        """
        batch, n, active = len(alpha), self.size, self.active
        moved = np.empty((batch, n, len(active) + 2))
        moved[:, :, 0] = np.matmul(c.kernel, alpha[..., None])[..., 0]
        matrices = by_length.reshape(batch, len(active), n, n)
        moved[:, :, 1:-1] = np.swapaxes(np.matmul(matrices, alpha[:, None, :, None])[..., 0], 1, 2)
        moved[:, :, -1] = c.noise[:, None] * alpha
        columns = moved if jacobian is None else np.concatenate((jacobian, moved), -1)
        found = np.matmul(np.swapaxes(columns, -1, -2), np.matmul(inverse, columns))
        m = columns.shape[-1] - moved.shape[-1]
        if exact:
            found[:, m:, m:] -= 0.5 * c.traces(inverse, matrices)
        else:
            found[:, m:, m:] *= 0.5
        return np.asarray(found)

    def _covariance(self, x: Vector) -> Covariance:
        m, d = self.mean_size, self.squared.shape[1]
        return Covariance.of(
            x[:, m],
            x[:, m + 1 : m + 1 + d],
            x[:, -1],
            squared=self.squared,
            structure=self.structure,
            active=self.active,
            mask=self.mask,
            fixed=self.fixed,
        )

    def _mean(self, x: Vector) -> tuple[Vector, Vector | None, Any]:
        """Values ``B x n``, Jacobian ``B x n x m``, and weights -> weighted second derivatives."""
        if self.centre is not None:
            return self.centre, None, None
        m = len(self.law.parameters)
        expanded = self.law.expand(self.basis, self.log_gamma, x[:, :m])
        time = expanded.terms.sum(-1)
        jacobian = self.law.jacobian(expanded, self.log_gamma)
        values = time
        if self.log_outcome:
            values, jacobian = np.log(time), jacobian / time[..., None]
        law_jacobian = jacobian

        def curvature(weights: Vector) -> Vector:
            if not self.log_outcome:
                return np.asarray(self.law.curvature(expanded, self.log_gamma, weights))
            second = self.law.curvature(expanded, self.log_gamma, weights / time)
            outer = np.swapaxes(law_jacobian * weights[..., None], -1, -2) @ law_jacobian
            return np.asarray(second - outer)

        if self.step is not None:
            values = values + x[:, m, None] * self.step
            jacobian = np.concatenate((jacobian, self.step[..., None]), -1)
        if self.mask is not None:
            jacobian = jacobian * self.mask[..., None]
        return values, jacobian, curvature

    def _residual(self, values: Vector) -> Vector:
        residual = self.y - values
        return residual if self.mask is None else residual * self.mask

    def _one_by_one(
        self, x: Vector, hessian: bool, exact: bool | None
    ) -> tuple[Vector, Vector, Vector]:
        """`evaluate`, where some member of the batch has no Cholesky factor."""
        found = []
        for i in range(len(x)):
            one, at = self.take(slice(i, i + 1)), x[i : i + 1]
            if is_positive_definite(one._covariance(at).total[0]):
                found.append(one.evaluate(at, hessian, exact))
            else:
                size = x.shape[1]
                found.append((np.array([-np.inf]), np.zeros((1, size)), np.eye(size)[None]))
        value, gradient, second = (np.concatenate(part) for part in zip(*found, strict=True))
        return value, gradient, second


_BATCHED = frozenset(
    [
        "squared",
        "structure",
        "basis",
        "log_gamma",
        "y",
        "location",
        "scale",
        "low",
        "high",
        "mask",
        "step",
        "fixed",
        "centre",
    ]
)
