"""Trials in, candidate out: baseline, probe, then Bayesian optimization. It holds no state."""

from arbo_bo.generation.strategy import Generated, Request, generate, generate_many, predict

__all__ = ["Generated", "Request", "generate", "generate_many", "predict"]
