"""Random numbers that depend on what they are for, and not on the order they are drawn in."""

import hashlib

import numpy as np


def derive(*keys: str | float) -> int:
    """A seed in [0, 2^63) that is a function of the keys alone, on any machine and any version."""
    text = "\x1f".join(repr(key) for key in keys)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(*keys: str | float) -> np.random.Generator:
    """A generator for one purpose, such as ("draw", problem, seed, run, degree)."""
    return np.random.default_rng(derive(*keys))
