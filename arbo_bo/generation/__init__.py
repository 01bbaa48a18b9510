"""Trials in, candidate out: baseline, probe, then Bayesian optimization. It holds no state."""

from arbo_bo.generation.strategy import Generated, generate, predict

__all__ = ["Generated", "generate", "predict"]
