"""Scalability laws in the parameters that they are learned in, with their derivatives.

Times are relative to a scale u: a law gives T / u, and every parameter is free of units and
unconstrained, a logarithm where it must be positive and a logit where it is a fraction. With
W = gamma^k T1:

    Amdahl  T = C + W ((1 - p) + p / s)
    USL     T = C + W ((1 - p) + p / s + kappa (s - 1))
    Ernest  T = theta0 + theta1 gamma^k / s + theta2 log s + theta3 s

The Universal Scalability Law is T1 / s (1 + sigma (s - 1) + kappa s (s - 1)): the form above with
sigma = 1 - p, so that Amdahl's law is its limit at kappa = 0. In Ernest's law the size acts on the
work that is divided, as in its source; the exponent k, 1 there, is learned.

Each is a sum of terms: a function of s times the exponential of some parameters, times gamma^k for
some, times p or 1 - p for some. Value, Jacobian and curvature follow from the terms.

Sources: G. M. Amdahl 1967; N. J. Gunther, Guerrilla Capacity Planning, Springer 2007; S.
Venkataraman et al., Ernest, NSDI 2016. The scaling gamma^k and the start-up C are ARBO's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from arbo_bo.experiment.law import MeanFunction
from arbo_bo.numerics.arrays import like, namespace
from arbo_bo.numerics.priors import DEFAULT_PRIORS, LawPriors, Parameter

LOGIT_P, EXPONENT = "logit_p", "k_exponent"


@dataclass(frozen=True)
class Term:
    """One term of a law.

    Attributes:
        basis: Its dependence on s.
        factors: Names of the parameters whose exponentials it is multiplied by.
        scales: Whether it is multiplied by gamma^k.
        fraction: 1: it is multiplied by p; -1: by 1 - p; 0: by neither.
    """

    basis: Callable[[Any], Any]
    factors: tuple[str, ...]
    scales: bool = False
    fraction: int = 0


@dataclass(frozen=True)
class Expanded:
    """The terms of a law at n points.

    Attributes:
        terms: ``... x n x J``.
        fractions: d log term / d logit p, ``... x J``; 0 where a term has no p.
        p: The parallel fraction, ``... x 1``; 1 for a law without it.
    """

    terms: Any
    fractions: Any
    p: Any


@dataclass(frozen=True)
class Law:
    """A scalability law.

    Attributes:
        name: What `arbo_bo.experiment.MeanFunction` calls it.
        terms: Whose sum T / u is.
        parameters: In the order of the last axis of theta.
        starts: Where a search without a warm start begins besides the priors' centre: some
            parameters' values. Source: the local optima of 10,000 random windows.
    """

    name: MeanFunction
    terms: tuple[Term, ...]
    parameters: tuple[Parameter, ...]
    starts: tuple[Mapping[str, float], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def timed(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """1 for each parameter that is the logarithm of a time over u, else 0; shape (m,)."""
        return np.array([float(p.timed) for p in self.parameters])

    @cached_property
    def exponents(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """D log term / d parameter where it is constant, ``J x m``."""
        return np.array([[float(n in t.factors) for n in self.names] for t in self.terms])

    @cached_property
    def scaling(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """1 for each term that is multiplied by gamma^k, else 0; shape (J,)."""
        return np.array([float(t.scales) for t in self.terms])

    @cached_property
    def fraction_signs(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """`Term.fraction` of each term, shape (J,)."""
        return np.array([float(t.fraction) for t in self.terms])

    def column(self, name: str) -> int | None:
        """Where a parameter stands; None: the law has none of that name."""
        return self.names.index(name) if name in self.names else None

    def basis(self, s: Any) -> Any:
        """What each term is of s, ``... x n x J``."""
        return namespace(s).stack([t.basis(s) for t in self.terms], -1)

    def expand(self, basis: Any, log_gamma: Any, theta: Any) -> Expanded:
        """The terms at n points.

        Args:
            basis: As `basis` makes it, ``... x n x J``.
            log_gamma: ``... x n``.
            theta: ``... x m``.
        """
        xp = namespace(basis, theta)
        signs, scaling = like(self.fraction_signs, theta), like(self.scaling, theta)
        log_factor = theta @ like(self.exponents.T, theta)
        at, p = self.column(LOGIT_P), theta[..., :1] * 0 + 1
        fractions = signs * 0
        if at is not None:
            logit = theta[..., at : at + 1]
            p = 1 / (1 + xp.exp(-logit))
            # log p and log(1 - p) from the logit, which neither end cancels.
            log_p = -xp.log1p(xp.exp(-xp.abs(logit))) + xp.clip(logit, None, 0)
            log_factor = log_factor + xp.abs(signs) * log_p - (signs < 0) * logit
            fractions = (signs > 0) * (1 - p) - (signs < 0) * p
        exponent = theta[..., self.names.index(EXPONENT), None]
        growth = (exponent * log_gamma)[..., None] * scaling
        terms = basis * xp.exp(log_factor[..., None, :] + growth)
        return Expanded(terms, fractions, p)

    def jacobian(self, expanded: Expanded, log_gamma: Any) -> Any:
        """DT / d theta, ``... x n x m``."""
        terms = expanded.terms
        by_factor = terms @ like(self.exponents, terms)
        columns = [by_factor[..., i] for i in range(len(self.names))]
        columns[self.names.index(EXPONENT)] = (terms @ like(self.scaling, terms)) * log_gamma
        at = self.column(LOGIT_P)
        if at is not None:
            columns[at] = (terms * expanded.fractions[..., None, :]).sum(-1)
        return namespace(terms).stack(columns, -1)

    def curvature(self, expanded: Expanded, log_gamma: Any, weights: Any) -> Any:
        """Sum over the points of weight d2T / d theta_i d theta_j, ``... x m x m`` (numpy).

        A term t with gradient t g has the Hessian t (g g' + dg), dg being -p (1 - p) at logit p.
        """
        weighted = weights[..., None] * expanded.terms
        sums = weighted.sum(-2)
        growing = (weighted * log_gamma[..., None]).sum(-2) * self.scaling
        growing2 = (weighted * (log_gamma**2)[..., None]).sum(-2) * self.scaling
        k, at = self.names.index(EXPONENT), self.column(LOGIT_P)
        gradient = np.broadcast_to(self.exponents, (*sums.shape, len(self.names))).copy()
        if at is not None:
            gradient[..., at] += expanded.fractions
        total = np.matmul(np.swapaxes(gradient * sums[..., None], -1, -2), gradient)
        mixed = np.matmul(growing[..., None, :], gradient)[..., 0, :]
        total[..., k, :] += mixed
        total[..., :, k] += mixed
        total[..., k, k] += growing2.sum(-1)
        if at is not None:
            p = expanded.p[..., 0]
            total[..., at, at] -= p * (1 - p) * (sums * np.abs(self.fraction_signs)).sum(-1)
        return total

    def runtime(self, s: Any, gamma: Any, theta: Any) -> Any:
        """T / u at n points, ``... x n``.

        Args:
            s: Degrees, at least 1, ``... x n``.
            gamma: Input scaling, above 0, ``... x n``.
            theta: ``... x m``.
        """
        log_gamma = namespace(s, gamma, theta).log(gamma)
        return self.expand(self.basis(s), log_gamma, theta).terms.sum(-1)

    def runtime_and_jacobian(self, s: Any, gamma: Any, theta: Any) -> tuple[Any, Any]:
        """`runtime` and its derivatives by theta, ``... x n x m``."""
        log_gamma = namespace(s, gamma, theta).log(gamma)
        expanded = self.expand(self.basis(s), log_gamma, theta)
        return expanded.terms.sum(-1), self.jacobian(expanded, log_gamma)


def _one(s: Any) -> Any:
    return s * 0 + 1.0


def _inverse(s: Any) -> Any:
    return 1 / s


def _linear(s: Any) -> Any:
    return s + 0.0


def _beyond_one(s: Any) -> Any:
    return s - 1.0


def _log(s: Any) -> Any:
    return namespace(s).log(s)


def laws_of(priors: LawPriors) -> Mapping[MeanFunction, Law]:
    """The laws with the bounds and priors of `priors`."""
    serial = Term(_one, ("log_t1",), scales=True, fraction=-1)
    parallel = Term(_inverse, ("log_t1",), scales=True, fraction=1)
    startup = Term(_one, ("log_c",))
    amdahl = Law(
        MeanFunction.AMDAHL,
        (serial, parallel, startup),
        (priors.work, priors.fraction, priors.startup, priors.exponent),
        ({"logit_p": 0.0}, {"log_c": -2.0}),
    )
    usl = Law(
        MeanFunction.USL,
        (*amdahl.terms, Term(_beyond_one, ("log_t1", "log_kappa"), scales=True)),
        (*amdahl.parameters, priors.coherency),
        (*amdahl.starts, {"log_kappa": -4.0}),
    )
    tree, linear = (replace(priors.overhead, name=n) for n in ("log_tree", "log_linear"))
    ernest = Law(
        MeanFunction.ERNEST,
        (
            Term(_inverse, ("log_t1",), scales=True),
            Term(_one, ("log_fixed",)),
            Term(_log, ("log_tree",)),
            Term(_linear, ("log_linear",)),
        ),
        (priors.work, priors.fixed, tree, linear, priors.exponent),
        ({"log_fixed": -0.7}, {"log_linear": -3.0}),
    )
    return MappingProxyType({law.name: law for law in (amdahl, usl, ernest)})


def with_cliff(law: Law, above: float, slowdown: Parameter) -> Law:
    """The law with every time exp(log_cliff) times as long at degrees below `above`.

    Too little memory at few workers: a job swaps, spills or collects garbage there.

    Args:
        law: Any law.
        above: The smallest degree that obeys it.
        slowdown: The parameter `log_cliff`.
    """

    def split(term: Term) -> tuple[Term, Term]:
        on_law = replace(term, basis=lambda s: term.basis(s) * (s >= above))
        off_law = replace(
            term,
            basis=lambda s: term.basis(s) * (s < above),
            factors=(*term.factors, slowdown.name),
        )
        return on_law, off_law

    terms = tuple(part for term in law.terms for part in split(term))
    return replace(law, terms=terms, parameters=(*law.parameters, slowdown))


LAWS = laws_of(DEFAULT_PRIORS.laws)
