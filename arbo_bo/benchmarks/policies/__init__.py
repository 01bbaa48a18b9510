"""Who chooses: arbo, and what people would use instead; each is asked and told."""

from arbo_bo.benchmarks.policies.registry import (
    ORACLE,
    make_oracle,
    make_policy,
    missing_package,
    policy_names,
)

__all__ = ["ORACLE", "make_oracle", "make_policy", "missing_package", "policy_names"]
