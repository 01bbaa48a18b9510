"""What acquisition functions take of a model: a normal belief about log T, or about T."""

from botorch.models.model import Model
from botorch.posteriors import Posterior
from botorch.posteriors.fully_bayesian import GaussianMixturePosterior
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.utils.transforms import is_ensemble
from gpytorch.distributions import MultitaskMultivariateNormal

from arbo_bo.errors import ShapeError, UnsupportedModelError
from arbo_bo.experiment import Residual
from arbo_bo.models.outcome import LognormalPosterior


def require_single_model(model: Model) -> None:
    """Raises where a model is an ensemble.

    The logarithm of what is expected of a score is not the mean of its logarithms over members.

    Raises:
        UnsupportedModelError: It is one, such as a fully Bayesian model.
    """
    if is_ensemble(model):
        raise UnsupportedModelError(
            f"a score needs one normal belief, got the ensemble {type(model).__name__}; take one "
            "of its members, or fit_amdahl_gp, which integrates the law's parameters out"
        )


def normal_belief(posterior: Posterior, residual: Residual) -> GPyTorchPosterior:
    """The posterior of log T, or of T for an additive residual, if it is a normal one.

    Args:
        posterior: Of a model of one output.
        residual: What the model's outcome is.

    Raises:
        UnsupportedModelError: It is not normal, as with an outcome transform such as BoTorch's Log.
        ShapeError: It is of several outputs.
    """
    if isinstance(posterior, LognormalPosterior) and residual is Residual.MULTIPLICATIVE:
        return posterior.log_time
    mixed = isinstance(posterior, GaussianMixturePosterior)
    if mixed or not isinstance(posterior, GPyTorchPosterior):
        raise UnsupportedModelError(
            f"a score needs a normal posterior of log T or of T, got {type(posterior).__name__}: "
            "train the model on log seconds, without an outcome transform such as Log"
        )
    if isinstance(posterior.distribution, MultitaskMultivariateNormal):
        raise ShapeError("a score belongs to one output; take model.subset_output([i])")
    return posterior
