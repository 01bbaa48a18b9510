"""Finding the hyperparameters of an `AmdahlGP`: maximum a posteriori, from few runs, quickly."""

from collections.abc import Sequence

from torch import Tensor

from arbo_bo.errors import NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import MeanFunction, Residual
from arbo_bo.experiment.law import DEFAULT_MEAN
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.from_fit import amdahl_gp_of
from arbo_bo.models.inputs import check_inputs, check_time
from arbo_bo.numerics.fitting import best_law
from arbo_bo.numerics.hyperparameters import Hyperparameters
from arbo_bo.numerics.inputs import S
from arbo_bo.numerics.laws import LAWS
from arbo_bo.numerics.problem import FitProblem, identifies_law


def fit_amdahl_gp(
    train_X: Tensor,
    execution_time_s: Tensor,
    residual: Residual | str = Residual.MULTIPLICATIVE,
    warm_start: Hyperparameters | None = None,
    startup_time_s: float | None = None,
    mean: MeanFunction | str = DEFAULT_MEAN,
    censored: Sequence[bool] | None = None,
) -> AmdahlGP:
    """Fits an `AmdahlGP` to a window of runs.

    The law is learned jointly with the kernel and the noise, by maximum marginal likelihood under
    priors. Any two degrees identify Amdahl's law; s = 1 is not needed. A window that holds one
    degree, or degrees that are nearly the same, says nothing about p (`identifies_law`): what
    `warm_start` holds is then the prior, with the law's level free, and of its mean if `mean` is
    "auto".

    Runs that do not fit are explained where that raises the evidence
    (`arbo_bo.numerics.anomalies`): stragglers are left out, a lasting change of speed brings the
    older runs to the newest level, and a run that was cut off counts as the time that it would have
    taken. What the model then trains on is the model's `explanation`.

    Args:
        train_X: ``n x 3``: s, gamma, L in physical units, oldest run first.
        execution_time_s: ``n x 1``, above 0 [s].
        residual: "multiplicative" or "additive".
        warm_start: Where to start from, so that one further start is guard enough.
        startup_time_s: A measured typical start-up time, 0 or more [s]; None: unknown.
        mean: Which law; "auto" fits them all and keeps the one with the largest evidence
            (`log_evidence`).
        censored: Which runs were cut off at their time, n of them; None: none.

    Returns:
        The fitted model, in evaluation mode, in float64.

    Raises:
        NotEnoughObservationsError: n = 0.
        ShapeError: The shapes are not as above.
        InvalidValueError: A time is not above 0, or an input is outside its domain.

    Example:
        >>> X = torch.tensor([[1.0, 1, 0], [2, 1, 0], [4, 1, 0]])
        >>> model = fit_amdahl_gp(X, torch.tensor([[292.0], [150], [83]]))
        >>> run = model.time_posterior(torch.tensor([[8.0, 1, 0]]))
        >>> late = run.quantile(0.95)
    """
    if execution_time_s.ndim != 2 or execution_time_s.shape != (*train_X.shape[:-1], 1):
        raise ShapeError(
            "execution_time_s needs shape (n, 1) beside train_X of (n, 3), "
            f"got {tuple(execution_time_s.shape)} beside {tuple(train_X.shape)}"
        )
    if not len(execution_time_s):
        raise NotEnoughObservationsError("a fit needs at least one completed run")
    check_inputs(train_X, "train_X")
    check_time(execution_time_s, "execution_time_s")
    X, time = train_X.detach().cpu().numpy(), execution_time_s.detach().cpu().numpy()[:, 0]
    residual, mean = Residual(residual), MeanFunction(mean)
    laws = [mean]
    if mean is MeanFunction.AUTO:
        known = DEFAULT_MEAN if warm_start is None else warm_start.mean
        laws = list(LAWS) if identifies_law(X[:, S]) else [known]
    problems = [
        FitProblem.of(
            X,
            time,
            mean=law,
            residual=residual,
            warm_start=warm_start,
            startup_time_s=startup_time_s,
            censored=censored,
        )
        for law in laws
    ]
    return amdahl_gp_of(best_law(problems))
