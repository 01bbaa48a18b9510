"""What a run costs now, against what it tells the runs after it."""

from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.construction import registered
from arbo_bo.acquisition.joint import JointAcquisition
from arbo_bo.experiment import Objective, Residual, validation
from arbo_bo.numerics import acquisition
from arbo_bo.numerics.priors import DEFAULT_PRIORS

HORIZON = DEFAULT_PRIORS.choice.horizon
"""How many later runs a run's knowledge is for, unless the user says otherwise."""


@registered
class OnlineKnowledgeGradient(JointAcquisition):
    """What a degree's next run saves the runs after it, minus what it costs more than the best.

    With U = -log Score, jointly normal over the allowed degrees C, the incumbent c* = argmax E[U]
    and the score in units of the incumbent's:

        value(x) = H E[exp(U(c*) - U'(c*)) - exp(U(c*) - max_c U'(c))]
                   - (Score(x) / min_c Score(c) - 1)

    U'(c) = E[U(c)] + Cov(U(c), U(x)) / sd(y) z, z ~ N(0, 1), is what will be expected of c once a
    run of x is seen, and Score(c) = E[T]^a Cost(s). The first term is the knowledge gradient times
    the H runs that it is for: knowledge that cannot change a choice is worth nothing, and a degree
    whose run costs more than it can ever save is not tried. Where all is known it is -(the regret):
    greedy. Log ratios of scores are cut at 5 either way, where the value is constant and its
    gradient 0.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        choices: ``n x d``: every allowed degree at this context; at most 128 count.
        horizon: H, 0 or more; 0 is the greedy choice by expected score.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative. For an
            additive one U has the moments that log T has on T > 0.
        X_pending: ``n x d``: runs under way; None: there are none.

    Source: Frazier, Powell and Dayanik, "The knowledge-gradient policy for correlated normal
    beliefs", 2009; Ryzhov, Powell and Frazier, "The knowledge gradient algorithm for a general
    class of online learning problems", 2012.

    Example:
        >>> gradient = OnlineKnowledgeGradient(model, choices, horizon=8.0)
        >>> best, value = optimize_acqf_discrete(gradient, q=1, choices=choices)
    """

    def __init__(
        self,
        model: Model,
        choices: Tensor,
        horizon: float = HORIZON,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, choices, objective, residual, X_pending)
        self.horizon = validation.non_negative("horizon", horizon)

    def _worth(self, X: Tensor) -> Tensor:
        belief, choices, pending = self._jointly(X)
        score = acquisition.ScoreBelief.of(belief, choices, pending, self.objective)
        return acquisition.knowledge_gradient(score, self.horizon)
