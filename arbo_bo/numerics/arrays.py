"""Which library an array belongs to, and the few functions that the libraries spell differently."""

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating[Any]]
TINY = 1e-200
"""A variance below it is none: its root and its inverse are still finite doubles."""
JITTERS = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
"""Relative to the largest variance; a Cholesky factor takes the first that suffices."""
_FAR = -30.0
"""Below it the normal tail is its asymptotic series, whose fifth term is then below 1e-12."""
_LOG_2PI = math.log(2 * math.pi)


def namespace(*arrays: Any) -> Any:
    """Returns torch if any argument is a tensor, numpy otherwise; torch is never imported here."""
    torch = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)  # absent while another thread is importing torch
    if tensor is not None and any(isinstance(a, tensor) for a in arrays):
        return torch
    return np


def like(values: Any, other: Any) -> Any:
    """A numpy array of constants as an array of `other`'s library, precision and device."""
    xp = namespace(other)
    if xp is np:
        return np.asarray(values, dtype=float)
    return xp.as_tensor(values, dtype=other.dtype, device=other.device)


def ndtr(x: Any) -> Any:
    """The standard normal distribution function Phi(x), elementwise."""
    xp = namespace(x)
    return np.asarray(_NDTR(x), dtype=float) if xp is np else xp.special.ndtr(x)


def log_ndtr(x: Any) -> Any:
    """Log Phi(x), elementwise, sound however negative x is."""
    xp = namespace(x)
    return np.asarray(_LOG_NDTR(x), dtype=float) if xp is np else xp.special.log_ndtr(x)


def ndtri(p: Any) -> Any:
    """The inverse of Phi, elementwise; p = 0 and p = 1 give infinities."""
    xp = namespace(p)
    return np.asarray(_NDTRI(p), dtype=float) if xp is np else xp.special.ndtri(p)


def log_expected_excess(z: Any) -> Any:
    """log(phi(z) + z Phi(z)), the logarithm of E[max(Z + z, 0)] for Z ~ N(0, 1), elementwise.

    For z below -1 it is log phi(z) + log(1 - |z| R(|z|)), R being Mills' ratio.

    Source: S. Ament et al., "Unexpected improvements to expected improvement", 2023.
    """
    if namespace(z) is np:
        return np.asarray(_LOG_EXCESS(z), dtype=float)
    from botorch.acquisition.analytic import _log_ei_helper  # differentiable, and the same function

    return _log_ei_helper(z)


def lower_root(covariance: Any) -> Any:
    """The lower Cholesky factor, with as much relative jitter as it takes.

    Args:
        covariance: ``... x n x n``, positive semidefinite to rounding.

    Raises:
        numpy.linalg.LinAlgError: No jitter suffices (numpy).
    """
    xp = namespace(covariance)
    n = covariance.shape[-1]
    diagonal = xp.diagonal(covariance, 0, -2, -1)
    scale = xp.clip(xp.amax(diagonal, -1), TINY, None)[..., None, None]
    identity = like(np.eye(n), covariance)
    for jitter in JITTERS:
        attempt = covariance / scale + jitter * identity
        if xp is not np:
            root, failed = xp.linalg.cholesky_ex(attempt)
            if not bool(failed.any()):
                break
            continue
        try:
            root = np.linalg.cholesky(attempt)
            break
        except np.linalg.LinAlgError:
            if jitter == JITTERS[-1]:
                raise
    return root * xp.sqrt(scale)


def solve_lower(root: Any, right: Any) -> Any:
    """root^-1 right, for a lower triangular root ``... x n x n`` and ``... x n x m``."""
    xp = namespace(root, right)
    if xp is np:
        return np.linalg.solve(root, right)
    return xp.linalg.solve_triangular(root, right, upper=False)


def _ndtr_of(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _log_ndtr_of(x: float) -> float:
    if x > 5:
        return math.log1p(-_ndtr_of(-x))
    if x > _FAR:
        return math.log(_ndtr_of(x))
    if not math.isfinite(x):
        return x
    series = -1 / x**2 + 3 / x**4 - 15 / x**6 + 105 / x**8
    return -0.5 * (x * x + _LOG_2PI) - math.log(-x) + math.log1p(series)


def _ndtri_of(p: float) -> float:
    from statistics import NormalDist

    if p <= 0 or p >= 1:
        return math.inf if p >= 1 else -math.inf
    return NormalDist().inv_cdf(p)


def _log_excess_of(z: float) -> float:
    log_density = -0.5 * (z * z + _LOG_2PI)
    if z > -1:
        return math.log(math.exp(log_density) + z * _ndtr_of(z))
    if z > -1e3:
        # |z| R(|z|) is close to 1 - 1 / z^2: expm1 keeps the digits of the difference.
        return log_density + math.log(-math.expm1(_log_ndtr_of(z) - log_density + math.log(-z)))
    return log_density - 2 * math.log(-z)


_NDTR = np.frompyfunc(_ndtr_of, 1, 1)
_LOG_NDTR = np.frompyfunc(_log_ndtr_of, 1, 1)
_NDTRI = np.frompyfunc(_ndtri_of, 1, 1)
_LOG_EXCESS = np.frompyfunc(_log_excess_of, 1, 1)
