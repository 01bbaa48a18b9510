"""The mathematics of a decision, once, on arrays: numpy decides, torch is BoTorch's face of it.

The way of a number: `problem.FitProblem` -> `fitting.fit` -> `posterior.Posterior` -> `joint.Joint`
-> `acquisition`. docs/numerics.md has the design.
"""
