"""A decision as JSON's own types: what the command line, Airflow and programs show of it."""

import math
from dataclasses import asdict
from typing import Any

from arbo_bo.experiment.decision import Decision


def decision_view(decision: Decision) -> dict[str, Any]:
    """All of a decision; what no number expresses is null.

    Returns:
        The decision's own attributes, and its ``candidates`` as `Decision.explain` has them.
    """
    document = {
        "task": decision.task,
        "trial_index": decision.trial_index,
        "trial_id": decision.trial_id,
        "parallelism": decision.parallelism,
        "phase": str(decision.phase),
        "acquisition": decision.acquisition,
        "predicted_time_s": decision.predicted_time_s,
        "predicted_time_std_s": decision.predicted_time_std_s,
        "input_scale_factor": decision.input_scale_factor,
        "cluster_load": decision.cluster_load,
        "reason": decision.reason,
        "recommended_parallelism": decision.recommended_parallelism,
        "worker_type": decision.worker_type,
        "recommended_worker_type": decision.recommended_worker_type,
        "default_parallelism": decision.default_parallelism,
        "objective": asdict(decision.objective),
        "strategy": decision.strategy.to_json(),
        "law": None if decision.law is None else asdict(decision.law),
        "anomalies": list(decision.anomalies),
        "was_kept": decision.was_kept,
    }
    rows = [_finite(asdict(row)) for row in decision.explain().rows]
    return _finite(document) | {"candidates": rows}


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """The row as JSON and a database can hold it."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }
