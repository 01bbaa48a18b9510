"""The bridge to Ax: experiments there and back, and arbo inside Ax's generation (extra ``ax``)."""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.integrations.ax.experiment import to_ax_experiment
    from arbo_bo.integrations.ax.model import AxAmdahlGP, amdahl_generator_spec
    from arbo_bo.integrations.ax.node import ArboGenerationNode
    from arbo_bo.integrations.ax.reading import from_ax

_HOMES = {
    "ArboGenerationNode": "arbo_bo.integrations.ax.node",
    "AxAmdahlGP": "arbo_bo.integrations.ax.model",
    "amdahl_generator_spec": "arbo_bo.integrations.ax.model",
    "from_ax": "arbo_bo.integrations.ax.reading",
    "to_ax_experiment": "arbo_bo.integrations.ax.experiment",
}

__all__ = [
    "ArboGenerationNode",
    "AxAmdahlGP",
    "amdahl_generator_spec",
    "from_ax",
    "to_ax_experiment",
]

__getattr__ = resolver(__name__, _HOMES)
