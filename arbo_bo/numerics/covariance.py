"""A batch of covariances with their derivatives by the residual's hyperparameters (numpy)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.kernel import SQRT5


@dataclass(frozen=True)
class Covariance:
    """The parts of a covariance.

    Attributes:
        weights: 1 / lengthscale^2, ``B x d``.
        decay: outputscale exp(-sqrt(5) r), ``B x n x n``.
        slope: -(1 / r) dMatern / dr times the outputscale.
        kernel: outputscale (Matern + structure).
        total: With noise and what is fixed.
        noise: Variance, ``B``.
        squared: Squared distances by feature, ``B x d x n n``.
        active: Features by which any two observations differ.
        mask: 1 for the observations that count, else 0, ``B x n``; None: all do.
        fixed: The part without hyperparameters, ``B x n x n``; None: there is none.
    """

    weights: Vector
    decay: Vector
    slope: Vector
    kernel: Vector
    total: Vector
    noise: Vector
    squared: Vector
    active: NDArray[np.intp]
    mask: Vector | None
    fixed: Vector | None

    @classmethod
    def of(
        cls,
        log_outputscale: Vector,
        log_lengthscales: Vector,
        log_noise: Vector,
        *,
        squared: Vector,
        structure: Vector,
        active: NDArray[np.intp],
        mask: Vector | None,
        fixed: Vector | None,
    ) -> "Covariance":
        """Outputscale (Matern-5/2 + structure) + noise I, and what is fixed.

        Args:
            log_outputscale: Shape (B,).
            log_lengthscales: ``B x d``.
            log_noise: Shape (B,).
            squared: As the attribute.
            structure: What is not learned of the correlation, ``B x n x n``, 0 where the mask is.
            active: As the attribute.
            mask: As the attribute.
            fixed: As the attribute.
        """
        batch, n = structure.shape[:2]
        weights = np.exp(-2 * log_lengthscales)
        distances = np.matmul(weights[:, None, :], squared)[:, 0].reshape(batch, n, n)
        scaled = SQRT5 * np.sqrt(distances)
        decay = np.exp(log_outputscale[:, None, None] - scaled)  # outputscale and all
        if mask is not None:
            decay *= mask[:, :, None] * mask[:, None, :]
        scaled += 1
        slope = scaled * decay
        slope *= 5 / 3
        kernel = distances
        kernel *= 5 / 3
        kernel += scaled
        kernel *= decay
        kernel += np.exp(log_outputscale[:, None, None]) * structure
        noise = np.exp(log_noise)
        total = kernel.copy() if fixed is None else kernel + fixed
        diagonal = total.reshape(batch, n * n)[:, :: n + 1]
        # An observation that does not count is one of variance 1 that nothing is correlated with.
        diagonal += noise[:, None] if mask is None else np.where(mask, noise[:, None], 1)
        return cls(weights, decay, slope, kernel, total, noise, squared, active, mask, fixed)

    def second(
        self, by_covariance: Vector, output: Vector, length: Vector, noise: Vector
    ) -> Vector:
        """Sum of dlogdensity/dK_ij d2K_ij over pairs of outputscale, lengthscales and noise.

        d2K / dlog l_a dlog l_b = 25/3 outputscale w_a w_b D_a D_b exp(-sqrt(5) r) - 2 [a = b] dK_a.
        """
        batch, active, n = len(output), self.active, self.decay.shape[-1]
        count = len(active) + 2
        inner = np.arange(1, count - 1)
        result = np.zeros((batch, count, count))
        weighted = self.squared[:, active] * self.weights[:, active, None]
        core = (self.decay * by_covariance).reshape(batch, 1, n * n) * (25 / 3)
        pairs = np.matmul(weighted * core, np.swapaxes(weighted, -1, -2))
        result[:, 1:-1, 1:-1] = pairs
        result[:, inner, inner] -= 2 * length
        result[:, 0, 0], result[:, -1, -1] = output, noise
        result[:, 0, inner] = result[:, inner, 0] = length
        return result

    def traces(self, inverse: Vector, matrices: Vector) -> Vector:
        """tr(K^-1 dK_i K^-1 dK_j) over outputscale, lengthscales and noise."""
        batch, n, count = len(inverse), self.decay.shape[-1], matrices.shape[1] + 2
        products = np.empty((batch, count, n, n))
        np.matmul(inverse[:, None], matrices, out=products[:, 1:-1])
        np.multiply(inverse, self.noise[:, None, None], out=products[:, -1])
        if self.mask is not None:
            products[:, -1] *= self.mask[:, None, :]
        if self.fixed is None:  # K^-1 (K - noise I), without a product
            np.negative(products[:, -1], out=products[:, 0])
            ones = products[:, 0].reshape(batch, n * n)[:, :: n + 1]
            ones += 1.0 if self.mask is None else self.mask
        else:
            np.matmul(inverse, self.kernel, out=products[:, 0])
        across = np.ascontiguousarray(np.swapaxes(products, -1, -2)).reshape(batch, count, n * n)
        flat = products.reshape(batch, count, n * n)
        return np.asarray(np.matmul(flat, np.swapaxes(across, -1, -2)))
