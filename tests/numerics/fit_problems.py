"""Windows of runs for the tests of this folder."""

import numpy as np

from arbo_bo.experiment import AmdahlLaw, MeanFunction, Residual
from arbo_bo.numerics.problem import FitProblem

LAW = AmdahlLaw(300.0, 0.93, 5.0, 0.9)
MEANS = [MeanFunction.AMDAHL, MeanFunction.USL, MeanFunction.ERNEST]
RESIDUALS = list(Residual)


def window(n=20, seed=0, noise=0.05, degrees=(1, 2, 4, 8, 16)):
    """Inputs ``n x 3`` and times of n runs."""
    rng = np.random.default_rng(seed)
    s = rng.choice(degrees, n).astype(float)
    gamma, load = rng.uniform(0.5, 2, n), rng.choice([0.0, 2, 4], n)
    law = np.vectorize(LAW.runtime_s)(s, gamma)
    time = law * np.exp(noise * rng.standard_normal(n))
    return np.stack([s, gamma, load], axis=-1), time


def problem(n=20, seed=0, noise=0.05, **options):
    X, time = window(n, seed, noise)
    return FitProblem.of(X, time, **options)
