"""Ernest: a linear model of the time with four non-negative terms."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from arbo_bo.benchmarks.policies.history import RememberingPolicy, cheapest_in_time
from arbo_bo.experiment import Context

DESIGN_POINTS = 3


class ErnestPolicy(RememberingPolicy):
    """T = th0 + th1 gamma / s + th2 log s + th3 s with th >= 0, refitted at each run.

    Least squares of the residuals in seconds, each run with weight 1, as in the authors' own
    `predictor.py`. Three degrees are measured before the model decides: the first two runs are
    given, the third takes the largest allowed degree, which is farthest from them in the terms
    log s and s, and so tells most (their A-optimal design itself needs four points at least). From
    then on it is the degree of the lowest score at the fitted time. With a deadline, it is taken
    among the degrees whose fitted time keeps it, since the model has no variance; else the fastest.

    Cluster load is not among the model's terms.

    Source: S. Venkataraman, Z. Yang, M. Franklin, B. Recht, I. Stoica, "Ernest: Efficient
    Performance Prediction for Large-Scale Advanced Analytics", NSDI 2016;
    https://github.com/amplab/ernest.
    """

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The third design point, or the lowest score at the fitted time."""
        measured = {run.parallelism for run in self.runs}
        if len(measured) < DESIGN_POINTS and degrees[-1] not in measured:
            return int(degrees[-1])
        if not self.runs:
            return int(degrees[0])
        times = self.predict_s(degrees, self.gamma(context)).tolist()
        scores = [self.setting.objective.score(t, s) for t, s in zip(times, degrees, strict=True)]
        return cheapest_in_time(degrees, scores, times, self.setting.deadline_s)

    def coefficients(self) -> NDArray[np.float64]:
        """th0 to th3, fitted to every run so far [s]."""
        runs = self.runs
        A = _terms([r.parallelism for r in runs], [self.gamma(r.context) for r in runs])
        found, _ = nnls(A, np.array([r.execution_time_s for r in runs]))
        return np.asarray(found)

    def predict_s(self, degrees: Sequence[int], gamma: float) -> NDArray[np.float64]:
        """The fitted time at each degree [s]."""
        return np.asarray(_terms(degrees, [gamma] * len(degrees)) @ self.coefficients())


def _terms(degrees: Sequence[int], gamma: Sequence[float]) -> NDArray[np.float64]:
    s, scale = np.asarray(degrees, dtype=float), np.asarray(gamma, dtype=float)
    return np.stack((np.ones_like(s), scale / s, np.log(s), s), axis=-1)
