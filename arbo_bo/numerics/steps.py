"""Where the original algorithm and the study that it comes from part: one value a step."""

from dataclasses import dataclass

LARGEST_EXPONENT = 20.0
"""gamma^20 is a double for inputs up to 1e15 times the base: what is larger stands for infinity."""


@dataclass(frozen=True)
class Steps:
    """The steps that can be taken in two ways; the defaults are those of `online`.

    Attributes:
        smooths_first_p: The first parallel run's p is smoothed with the initial one; the study
            takes it as it is.
        recomputes_residuals: Residuals are those of the law as it is at each fit; the study keeps
            what the law left when it had learned the run.
        keeps_baseline: The first run is in the window of the residual process, too.
        extra_runs: The study's range of indices holds one run more than the window.
        smallest_log_gamma: k is not learned from a run with |ln gamma| below it; the study learns
            wherever k is defined.
        k_bounds: What one run may say about k; the study has no bounds.
        smallest_fraction: Of the law's time, the least mean that is scored; the study scores any.
        scales_p: gamma^k is in the inverse law; one place of the study leaves it out.
    """

    smooths_first_p: bool = True
    recomputes_residuals: bool = True
    keeps_baseline: bool = True
    extra_runs: int = 0
    smallest_log_gamma: float = 0.1
    k_bounds: tuple[float, float] = (0.0, 4.0)
    smallest_fraction: float = 0.01
    scales_p: bool = True


ONLINE = Steps()
"""As `estimator="online"` takes them: near gamma = 1 noise dominates what a run says about k, and
without bounds a single odd run throws k away."""
STUDY = Steps(
    smooths_first_p=False,
    recomputes_residuals=False,
    keeps_baseline=False,
    extra_runs=1,
    smallest_log_gamma=0.0,
    k_bounds=(-LARGEST_EXPONENT, LARGEST_EXPONENT),
    smallest_fraction=0.0,
)
"""As the study writes them, which `estimator="original"` takes."""
