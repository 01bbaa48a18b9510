"""What is observed and not chosen: where a run's input size and the cluster's load come from."""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.context.cluster_load import LoadSource, cluster_load_of
    from arbo_bo.context.input_size import SizeSource, input_size_of
    from arbo_bo.context.prometheus import PrometheusLoad

_HOMES = {
    "LoadSource": "arbo_bo.context.cluster_load",
    "PrometheusLoad": "arbo_bo.context.prometheus",
    "SizeSource": "arbo_bo.context.input_size",
    "cluster_load_of": "arbo_bo.context.cluster_load",
    "input_size_of": "arbo_bo.context.input_size",
}

__all__ = ["LoadSource", "PrometheusLoad", "SizeSource", "cluster_load_of", "input_size_of"]

__getattr__ = resolver(__name__, _HOMES)
