"""Amdahl's law in the parameters that it is learned in, with its gradient.

The parameters are unconstrained and free of units: log(T1 / u), logit(p), log(C / u) and k, where u
is a time that sets the scale. `arbo_bo.experiment.law` holds the law itself.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arbo_bo.experiment import law
from arbo_bo.formulas.arrays import namespace

PARAMETERS = ("log_t1", "logit_p", "log_c", "k_exponent")

Vector = NDArray[np.float64]


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow for the |x| < 700 that bounds allow."""
    return 1 / (1 + namespace(x).exp(-x))


def amdahl_runtime(
    s: Any, gamma: Any, log_t1: Any, logit_p: Any, log_c: Any, k: Any, log_output: bool = True
) -> Any:
    """T(s, gamma) / u or its logarithm, from the unconstrained parameters.

    Args:
        s: Degrees of parallelism, at least 1.
        gamma: Input scaling, above 0.
        log_t1: log(T1 / u).
        logit_p: log(p / (1 - p)).
        log_c: log(C / u).
        k: Complexity exponent.
        log_output: Whether to return log(T / u) instead of T / u.

    Returns:
        An array of the arguments' broadcast shape.
    """
    xp = namespace(s, gamma, log_t1)
    time = law.runtime(s, gamma, xp.exp(log_t1), sigmoid(logit_p), xp.exp(log_c), k)
    return xp.log(time) if log_output else time


def amdahl_jacobian(
    s: Vector, gamma: Vector, parameters: Vector, log_output: bool = True
) -> tuple[Vector, Vector]:
    """The law at n points and its derivatives by the four parameters (numpy).

    With W = gamma^k T1 and g = (1 - p) + p / s: dT/dlog T1 = W g, dT/dlogit p = W (1/s - 1) p (1 -
    p), dT/dlog C = C, dT/dk = W g log gamma; each over T when the output is log T.

    Args:
        s: Degrees, shape (n,).
        gamma: Input scaling, shape (n,).
        parameters: log(T1 / u), logit(p), log(C / u), k; shape (4,).
        log_output: Whether the output is log(T / u) instead of T / u.

    Returns:
        Values of shape (n,) and the Jacobian of shape (n, 4).
    """
    log_t1, logit_p, log_c, k = parameters
    time = amdahl_runtime(s, gamma, log_t1, logit_p, log_c, k, log_output=False)
    p, c = sigmoid(logit_p), np.exp(log_c)
    work = time - c
    serial = gamma**k * np.exp(log_t1)
    columns = (
        work,
        serial * (1 / s - 1) * p * (1 - p),
        np.full_like(work, c),
        work * np.log(gamma),
    )
    jacobian = np.stack(columns, axis=-1)
    return (np.log(time), jacobian / time[:, None]) if log_output else (time, jacobian)
