"""`ArboOptimizer` and its parts: decisions, trials, experiments, diagnosis of a store."""
