"""A decision as what is stored with its trial, and back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from arbo_bo._format import count
from arbo_bo.errors import ArboError
from arbo_bo.experiment.decision import Candidate, Decision
from arbo_bo.experiment.law import AmdahlLaw
from arbo_bo.experiment.objective import Objective
from arbo_bo.experiment.prediction import Prediction, Residual
from arbo_bo.experiment.strategy import Strategy
from arbo_bo.experiment.trial import Trial

FORMAT = 1
MOST_CANDIDATES = 128
"""Of more candidates those of the lowest score are kept: a record takes some kilobytes."""
Record = Mapping[str, Any]


def to_record(decision: Decision) -> dict[str, Any]:
    """What the trial's own columns do not say of its decision, JSON-ready."""
    chosen, law = decision.prediction, decision.law
    record = {
        "format": FORMAT,
        "chooser": decision.acquisition,
        "cluster_load": decision.cluster_load,
        "objective": asdict(decision.objective),
        "default": decision.default_parallelism,
        "anomalies": list(decision.anomalies),
        "law": None if law is None else asdict(law),
        "recommended_worker_type": decision.recommended_worker_type,
        "prediction": None if chosen is None else [chosen.location, chosen.scale, chosen.residual],
        "candidates": _columns(_kept(decision)),
        "hypotheses": [list(each) for each in decision.hypotheses] or None,
    }
    return {key: value for key, value in record.items() if value not in (None, {}, [])}


def decision_of(trial: Trial, residual: Residual) -> Decision:
    """The decision that a trial was started with.

    Args:
        trial: One that a decision started. Of trials of earlier versions the candidates and the
            law were not kept.
        residual: The task's, for such a trial.
    """
    record: Record = trial.decision or {}
    law, chosen = record.get("law"), record.get("prediction")
    prediction = _prediction_of(trial, residual)
    if chosen is not None:
        location, scale, kind = chosen
        parts = _parts_of(record, trial)
        prediction = Prediction(trial.parallelism, location, scale, kind, trial.worker_type, parts)
    return Decision(
        task=trial.task,
        parallelism=trial.parallelism,
        phase=trial.phase,
        reason=trial.reason
        or f"{count(trial.parallelism)}: already decided for this key, as {trial}.",
        trial_index=trial.trial_index,
        trial_id=trial.trial_id,
        acquisition=record.get("chooser", trial.acquisition),
        input_scale_factor=trial.input_scale_factor,
        cluster_load=record.get("cluster_load", trial.cluster_load),
        prediction=prediction,
        candidates=_candidates(record.get("candidates", {})),
        law=None if law is None else AmdahlLaw(**law),
        recommended_parallelism=trial.recommended_parallelism,
        objective=Objective(**record.get("objective", {})),
        strategy=_strategy_of(trial),
        default_parallelism=record.get("default"),
        anomalies=tuple(record.get("anomalies", ())),
        was_kept=trial.decision is not None,
        worker_type=trial.worker_type,
        recommended_worker_type=record.get("recommended_worker_type"),
        hypotheses=tuple((str(name), float(p)) for name, p in record.get("hypotheses", ())),
    )


def _kept(decision: Decision) -> Sequence[Candidate]:
    best = sorted(decision.candidates, key=lambda c: c.log_score)[:MOST_CANDIDATES]
    kept = {c.arm for c in best} | {decision.arm}
    return [c for c in decision.candidates if c.arm in kept]


def _columns(candidates: Sequence[Candidate]) -> dict[str, list[Any]]:
    """The candidates, a list for each of their values; those that none has are left out."""
    rows = [
        {
            "parallelism": c.parallelism,
            "location": c.prediction.location,
            "scale": c.prediction.scale,
            "residual": c.prediction.residual,
            "parts": [list(part) for part in c.prediction.parts] or None,
            "log_score": c.log_score,
            "value": c.value if c.value is not None and math.isfinite(c.value) else None,
            "slo_probability": c.slo_probability,
            "keeps_slo": c.keeps_slo,
            "excluded": c.excluded,
            "success_probability": c.success_probability,
            "worker_type": c.worker_type,
            "worker_price_per_hour": c.worker_price_per_hour,
        }
        for c in candidates
    ]
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    return {n: c for n, c in columns.items() if any(value is not None for value in c)}


_KNOWN = frozenset(
    [
        "log_score",
        "value",
        "slo_probability",
        "keeps_slo",
        "excluded",
        "success_probability",
        "worker_price_per_hour",
    ]
)


def _candidates(columns: Mapping[str, Sequence[Any]]) -> tuple[Candidate, ...]:
    found = []
    for place, degree in enumerate(columns.get("parallelism", ())):
        row = {name: values[place] for name, values in columns.items()}
        prediction = Prediction(
            degree,
            row["location"],
            row["scale"],
            row["residual"],
            row.get("worker_type"),
            _as_parts(row.get("parts")),
        )
        known = {name: row[name] for name in _KNOWN if name in row}
        found.append(Candidate(prediction, **known))
    return tuple(found)


def _as_parts(stored: Sequence[Sequence[float]] | None) -> tuple[tuple[float, float, float], ...]:
    return tuple((w, m, d) for w, m, d in stored or ())


def _parts_of(record: Record, trial: Trial) -> tuple[tuple[float, float, float], ...]:
    """The hypotheses' predictions of the chosen arm, which its candidate holds."""
    for candidate in _candidates(record.get("candidates", {})):
        if candidate.arm == trial.arm:
            return candidate.prediction.parts
    return ()


def _strategy_of(trial: Trial) -> Strategy:
    try:
        return Strategy() if trial.strategy is None else Strategy.from_json(trial.strategy)
    except (ArboError, KeyError, TypeError, AttributeError):  # a later version's
        return Strategy()


def _prediction_of(trial: Trial, residual: Residual) -> Prediction | None:
    """The distribution with the stored mean m and deviation d.

    Of log T: sigma^2 = log(1 + (d / m)^2), mu = log m - sigma^2 / 2. Of T, for an additive
    residual: m and d themselves, the part below T = 0 neglected.
    """
    mean, std = trial.predicted_time_s, trial.predicted_time_std_s
    if mean is None or std is None or mean <= 0 or std <= 0:
        return None
    if residual is Residual.ADDITIVE:
        return Prediction(trial.parallelism, mean, std, residual, trial.worker_type)
    variance = math.log1p((std / mean) ** 2)
    if variance == 0:  # (d / m)^2 is less than a float holds
        return None
    location = math.log(mean) - variance / 2
    return Prediction(trial.parallelism, location, math.sqrt(variance), residual, trial.worker_type)
