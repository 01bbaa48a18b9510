"""Inverses of batches of covariances, by way of their Cholesky factors (numpy)."""

import numpy as np

from arbo_bo.numerics.arrays import Vector

BLOCK = 64
"""Below this size LAPACK's own inverse is faster than one by blocks (measured, OpenBLAS)."""


def is_positive_definite(matrix: Vector) -> bool:
    """Whether a matrix has a Cholesky factor in double precision."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def inverse_of(covariance: Vector, root: Vector) -> Vector:
    """The inverse of a batch of matrices whose lower Cholesky factors are known."""
    if covariance.shape[-1] <= BLOCK:
        return np.asarray(np.linalg.inv(covariance))
    inverse = lower_inverse(root)
    return np.asarray(np.matmul(np.swapaxes(inverse, -1, -2), inverse))


def lower_inverse(root: Vector) -> Vector:
    """The inverse of lower triangular matrices, ``... x n x n``, by blocks."""
    n = root.shape[-1]
    if n <= BLOCK:
        return np.asarray(np.linalg.inv(root))
    half = n // 2
    result = np.zeros_like(root)
    first = lower_inverse(np.ascontiguousarray(root[..., :half, :half]))
    last = lower_inverse(np.ascontiguousarray(root[..., half:, half:]))
    result[..., :half, :half], result[..., half:, half:] = first, last
    result[..., half:, :half] = -np.matmul(last, np.matmul(root[..., half:, :half], first))
    return result
