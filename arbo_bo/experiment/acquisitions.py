"""The acquisition functions by name: what each needs, and the phrase that explains its choice.

The one table of them. Values are computed by the function of the same name in
`arbo_bo.numerics.choosers`; BoTorch's classes are in `arbo_bo.acquisition`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from arbo_bo.experiment.slo import SLO, MaxCost, MaxExecutionTime


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One of arbo's own acquisition functions.

    Attributes:
        phrase: Why a degree was chosen, with the fields {objective} and {slo}.
        needs: Kinds of service level of which it needs one; empty: none.
    """

    phrase: str
    needs: tuple[type[SLO], ...] = ()


ACQUISITIONS: Mapping[str, Acquisition] = MappingProxyType(
    {
        "expected_cost": Acquisition("it has the lowest expected cost"),
        "expected_improvement": Acquisition(
            "run to learn: the largest expected improvement of {objective}"
        ),
        "lcb": Acquisition("run to learn: it has the lowest optimistic {objective}"),
        "knowledge_gradient": Acquisition(
            "run to learn: the runs after it may gain more than it costs"
        ),
        "risk_averse": Acquisition("it has the lowest {objective} when things go badly"),
        "thompson": Acquisition("it has the lowest {objective} in one draw of what is believed"),
        "deadline": Acquisition("it is the cheapest", needs=(MaxExecutionTime,)),
        "budget": Acquisition("it is the fastest", needs=(MaxCost,)),
        "constrained_improvement": Acquisition(
            "run to learn: the largest expected improvement of {objective}, weighed with the "
            "belief that the degree keeps {slo}",
            needs=(MaxExecutionTime, MaxCost),
        ),
    }
)


def missing_levels(acquisition: str, slo: Sequence[SLO]) -> tuple[type[SLO], ...]:
    """The kinds of service level of which an acquisition function lacks one; empty: none."""
    known = ACQUISITIONS.get(acquisition)
    kinds = () if known is None else known.needs
    return () if any(isinstance(level, kinds) for level in slo) else kinds


def phrase_of(acquisition: str) -> str:
    """The phrase that explains a choice of an acquisition function, another package's too."""
    known = ACQUISITIONS.get(acquisition)
    return f"the choice of {acquisition!r}" if known is None else known.phrase
