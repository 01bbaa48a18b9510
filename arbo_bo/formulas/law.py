"""Scalability laws in the parameters that they are learned in, with their gradients.

Times are relative to a scale u: each function gives T / u, and every parameter is free of units and
unconstrained, a logarithm where it must be positive and a logit where it is a fraction.
`arbo_bo.experiment.law` holds Amdahl's law itself. With W = gamma^k T1:

    Amdahl  T = C + W ((1 - p) + p / s)
    USL     T = C + W ((1 - p) + p / s + kappa (s - 1))
    Ernest  T = theta0 + theta1 gamma^k / s + theta2 log s + theta3 s

The Universal Scalability Law is T1 / s (1 + sigma (s - 1) + kappa s (s - 1)): the form above with
sigma = 1 - p, so that Amdahl's law is its limit at kappa = 0. In Ernest's law the size acts on the
work that is divided, as in its source; the exponent k, 1 there, is learned.

Sources: G. M. Amdahl 1967; N. J. Gunther, Guerrilla Capacity Planning, Springer 2007; S.
Venkataraman et al., Ernest, NSDI 2016. The scaling gamma^k and the start-up C are ARBO's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arbo_bo.experiment import law
from arbo_bo.formulas.arrays import namespace

Vector = NDArray[np.float64]
TINY = 1e-300


@dataclass(frozen=True)
class Formula:
    """A law and its gradient.

    Attributes:
        runtime: (s, gamma, *parameters) -> T / u, on numpy arrays and tensors alike.
        jacobian: (s, gamma, *parameters) -> T / u of shape ``... x n`` and its derivatives by the
            m parameters, ``... x n x m``, on numpy arrays and tensors alike.
    """

    runtime: Callable[..., Any]
    jacobian: Callable[..., tuple[Any, Any]]


def amdahl_parameters(of: law.AmdahlLaw) -> dict[str, float]:
    """The unconstrained parameters of a law by name, with u = 1 s."""
    p = min(max(of.p, 1e-9), 1 - 1e-9)
    return {
        "log_t1": math.log(of.t1_s),
        "logit_p": math.log(p / (1 - p)),
        "log_c": math.log(max(of.c_s, TINY)),
        "k_exponent": of.k,
    }


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow for the |x| < 700 that bounds allow."""
    return 1 / (1 + namespace(x).exp(-x))


def amdahl_runtime(s: Any, gamma: Any, log_t1: Any, logit_p: Any, log_c: Any, k: Any) -> Any:
    """T(s, gamma) / u of Amdahl's law.

    Args:
        s: Degrees of parallelism, at least 1.
        gamma: Input scaling, above 0.
        log_t1: log(T1 / u).
        logit_p: log(p / (1 - p)).
        log_c: log(C / u).
        k: Complexity exponent.

    Returns:
        An array of the arguments' broadcast shape.
    """
    xp = namespace(s, gamma, log_t1)
    return law.runtime(s, gamma, xp.exp(log_t1), sigmoid(logit_p), xp.exp(log_c), k)


def usl_runtime(
    s: Any, gamma: Any, log_t1: Any, logit_p: Any, log_c: Any, k: Any, log_kappa: Any
) -> Any:
    """T(s, gamma) / u of the Universal Scalability Law.

    Args:
        s: As in `amdahl_runtime`.
        gamma: As in `amdahl_runtime`.
        log_t1: As in `amdahl_runtime`.
        logit_p: As in `amdahl_runtime`; sigma = 1 - p.
        log_c: As in `amdahl_runtime`.
        k: As in `amdahl_runtime`.
        log_kappa: log kappa, the cost of keeping workers coherent.
    """
    xp = namespace(s, gamma, log_t1)
    coherency = gamma**k * xp.exp(log_t1 + log_kappa) * (s - 1)
    return amdahl_runtime(s, gamma, log_t1, logit_p, log_c, k) + coherency


def ernest_runtime(
    s: Any, gamma: Any, log_t1: Any, log_fixed: Any, log_tree: Any, log_linear: Any, k: Any
) -> Any:
    """T(s, gamma) / u of Ernest's law.

    Args:
        s: As in `amdahl_runtime`.
        gamma: As in `amdahl_runtime`.
        log_t1: log(theta1 / u), of the work that is divided.
        log_fixed: log(theta0 / u), of what is not divided.
        log_tree: log(theta2 / u), of aggregation in a tree.
        log_linear: log(theta3 / u), of what each worker adds.
        k: Complexity exponent.
    """
    xp = namespace(s, gamma, log_t1)
    overhead = xp.exp(log_fixed) + xp.exp(log_tree) * xp.log(s) + xp.exp(log_linear) * s
    return overhead + gamma**k * xp.exp(log_t1) / s


def amdahl_jacobian(
    s: Any, gamma: Any, log_t1: Any, logit_p: Any, log_c: Any, k: Any
) -> tuple[Any, Any]:
    """Amdahl's T / u at n points and its derivatives by the four parameters.

    With g = (1 - p) + p / s: dT/dlog T1 = W g, dT/dlogit p = W (1/s - 1) p (1 - p), dT/dlog C = C,
    dT/dk = W g log gamma.

    Args:
        s: Degrees, ``... x n``.
        gamma: Input scaling, ``... x n``.
        log_t1: As in `amdahl_runtime`, a number or ``... x 1``, as all parameters.
        logit_p: As in `amdahl_runtime`.
        log_c: As in `amdahl_runtime`.
        k: As in `amdahl_runtime`.

    Returns:
        Values, ``... x n``, and the Jacobian, ``... x n x 4``.
    """
    xp = namespace(s, gamma, log_t1)
    time = amdahl_runtime(s, gamma, log_t1, logit_p, log_c, k)
    p, c = sigmoid(logit_p), xp.exp(log_c)
    work = time - c
    whole = gamma**k * xp.exp(log_t1)
    by_p = whole * (1 / s - 1) * p * (1 - p)
    return time, xp.stack((work, by_p, time - work, work * xp.log(gamma)), -1)


def usl_jacobian(
    s: Any, gamma: Any, log_t1: Any, logit_p: Any, log_c: Any, k: Any, log_kappa: Any
) -> tuple[Any, Any]:
    """The Universal Scalability Law's T / u and its derivatives by the five parameters.

    Those of Amdahl's law, with W kappa (s - 1) added to T, and to W g where it stands there;
    dT/dlog kappa = W kappa (s - 1).

    Args:
        s: As in `amdahl_jacobian`.
        gamma: As in `amdahl_jacobian`.
        log_t1: As in `amdahl_jacobian`.
        logit_p: As in `amdahl_jacobian`.
        log_c: As in `amdahl_jacobian`.
        k: As in `amdahl_jacobian`.
        log_kappa: As in `usl_runtime`.
    """
    xp = namespace(s, gamma, log_t1)
    time, jacobian = amdahl_jacobian(s, gamma, log_t1, logit_p, log_c, k)
    coherency = gamma**k * xp.exp(log_t1 + log_kappa) * (s - 1)
    by_t1, by_p, by_c, by_k = (jacobian[..., i] for i in range(4))
    columns = (by_t1 + coherency, by_p, by_c, by_k + coherency * xp.log(gamma), coherency)
    return time + coherency, xp.stack(columns, -1)


def ernest_jacobian(
    s: Any, gamma: Any, log_t1: Any, log_fixed: Any, log_tree: Any, log_linear: Any, k: Any
) -> tuple[Any, Any]:
    """Ernest's T / u and its derivatives by the five parameters.

    Each term is its own derivative by its logarithmic factor; dT/dk = theta1 gamma^k / s log gamma.

    Args:
        s: As in `amdahl_jacobian`.
        gamma: As in `amdahl_jacobian`.
        log_t1: log(theta1 / u).
        log_fixed: log(theta0 / u).
        log_tree: log(theta2 / u).
        log_linear: log(theta3 / u).
        k: As in `amdahl_jacobian`.
    """
    xp = namespace(s, gamma, log_t1)
    divided = xp.exp(log_t1) * gamma**k / s
    fixed = xp.exp(log_fixed) * xp.ones_like(s)
    tree, linear = xp.exp(log_tree) * xp.log(s), xp.exp(log_linear) * s
    columns = (divided, fixed, tree, linear, divided * xp.log(gamma))
    return divided + fixed + tree + linear, xp.stack(columns, -1)


AMDAHL = Formula(amdahl_runtime, amdahl_jacobian)
USL = Formula(usl_runtime, usl_jacobian)
ERNEST = Formula(ernest_runtime, ernest_jacobian)
