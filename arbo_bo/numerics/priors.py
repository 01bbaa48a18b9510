"""Every constant of the numerics, each with its source.

"Regret" names a choice by regret: the value is on a plateau of the regret over five suites of
measured runs, and `make bench-sensitivity` prints what halving and doubling it does
(docs/sensitivity.md).
"""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Normal:
    """A normal prior on a logarithm, a logit or an exponent.

    Attributes:
        location: Its mean, which is where it is largest.
        scale: Its standard deviation, above 0.
    """

    location: float
    scale: float


@dataclass(frozen=True)
class Parameter:
    """One number of a law that is learned.

    Attributes:
        name: The parameter.
        low: Its least value.
        high: Its largest value.
        prior: What is known before any run.
        anchor: Standard deviation around a value that was learned before, for a window that says
            too little about the law's shape.
        timed: Whether it is the logarithm of a time over the time scale u.
    """

    name: str
    low: float
    high: float
    prior: Normal
    anchor: float
    timed: bool = False


@dataclass(frozen=True)
class LawPriors:
    """What is known of a law's parameters before any run.

    Jobs that people parallelize are mostly parallel, start-up and overheads are a small part, and
    work grows about linearly with its input. Bounds keep exp() and the logit in range: 14 is a
    factor of a million. Source of locations and scales: regret.

    Attributes:
        work: log(T1 / u); u is the window's own scale, so 0. Its anchor leaves the level free.
        fraction: logit p: 3 is p = 0.953, and p is between 0.79 and 0.99 in two of three jobs.
        startup: log(C / u): 2 % of the work.
        exponent: k: 1 is linear; a sort is 1.1, a sample of the input 0, a join of two 2.
        coherency: log kappa of the Universal Scalability Law: 3e-4, in the range of the
            measurements in its source (Gunther 2007).
        overhead: log(theta2 / u) and log(theta3 / u) of Ernest's law.
        fixed: log(theta0 / u) of Ernest's law.
        cliff: log of how many times as long a job takes below a cliff; a factor e is common.
    """

    work: Parameter = Parameter("log_t1", -14.0, 14.0, Normal(0.0, 1.5), 1.5, timed=True)
    fraction: Parameter = Parameter("logit_p", -7.0, 10.0, Normal(3.0, 1.75), 0.1)
    startup: Parameter = Parameter("log_c", -14.0, 7.0, Normal(-4.0, 0.5), 0.3, timed=True)
    exponent: Parameter = Parameter("k_exponent", 0.0, 4.0, Normal(1.0, 0.4), 0.1)
    coherency: Parameter = Parameter("log_kappa", -20.0, 2.0, Normal(-8.0, 2.0), 0.1)
    overhead: Parameter = Parameter("overhead", -14.0, 7.0, Normal(-5.0, 2.0), 0.3, timed=True)
    fixed: Parameter = Parameter("log_fixed", -14.0, 7.0, Normal(-2.5, 1.5), 0.1, timed=True)
    cliff: Parameter = Parameter("log_cliff", 0.0, 5.0, Normal(1.0, 0.7), 0.3)


@dataclass(frozen=True)
class StructurePrior:
    """What the residual has besides its smooth part, in units of the smooth part's variance.

    Attributes:
        fine_share: Variance of the fine structure. Source: regret.
        trend_share: Variance of the slope of the trend in log s. Source: regret.
        cpus_share: Variance of the exponent of a worker's CPUs, beside the law's own. Source of
            this and of the others: the order of their size over scout's types (docs/benchmarks.md).
        memory_share: Variance of the exponent of the memory of a CPU.
        total_memory_share: Variance of the steps along the memory of all workers.
        total_memory_lengthscale: How far apart those steps are, in its logarithm.
        type_share: Variance of the logarithm of a type's own factor.
        type_trend_share: Variance of a type's own slope in log s.
    """

    fine_share: float = 0.16
    trend_share: float = 5.0
    cpus_share: float = 5.0
    memory_share: float = 5.0
    total_memory_share: float = 15.0
    total_memory_lengthscale: float = 1.0
    type_share: float = 1.0
    type_trend_share: float = 0.3


@dataclass(frozen=True)
class ResidualPrior:
    """Priors on the logarithms of the residual's hyperparameters.

    In log time variances are free of units, and an additive residual is in units of the time scale,
    so one set serves every task: the smooth residual's standard deviation is around 18 %, the noise
    of a run around 3 %. That is less than most runs have, on purpose: the fit of few runs then
    takes what it sees for structure, and looks again, not for noise. Lengthscales are long: what
    departs from a law departs slowly, and the fine structure is `StructurePrior`'s. Source of all:
    regret.

    Attributes:
        outputscale: Of the log variance of the smooth residual.
        lengthscales: Of the log lengthscales, a column each.
        noise: Of the log variance of a run's noise.
    """

    outputscale: Normal = Normal(2 * math.log(0.18), 0.5)
    lengthscales: tuple[Normal, ...] = (Normal(0.6, 0.3), Normal(1.7, 0.3), Normal(-0.8, 0.3))
    noise: Normal = Normal(2 * math.log(0.03), 1.25)


OUTPUTSCALE_BOUNDS = (1e-6, 25.0)
"""A residual between 0.1 % and a factor of 150: wider than any that was measured."""
LENGTHSCALE_BOUNDS = (0.05, 50.0)
"""From one part in twenty of a factor e to a residual that is constant over all degrees."""
NOISE_BOUNDS = (1e-6, 4.0)
"""A run's noise between 0.1 %, about what a timer and a scheduler add, and a factor of 7."""


@dataclass(frozen=True)
class AnomalyPrior:
    """How often runs are odd, and how odd they are.

    Attributes:
        straggler: Probability that a run is a straggler, before any is seen. Source: regret.
        change: Probability that the speed changes for good before a run. Source: regret.
        spread: Standard deviation of log time over what stragglers and changes do: a factor of 4.5.
            Source: regret.
        refit_margin: A hypothesis that loses by less than this many nats before a refit is
            refitted: odd runs hide behind the noise that they cause. Source: 6 nats are odds of
            400; in 1,000 random windows none that lost by more won.
        uninformative: A run cut off this many standard deviations below its prediction says
            nothing. Source: the expectation beyond such a limit is within 0.3 standard deviations
            of the prediction itself.
        fewest_kept: Fewer runs than this cannot say which of them is the odd one.
        fewest_since: Runs that must stand on either side of a change; one alone may be a straggler.
        most: Hypotheses that a window may hold: an eighth of the default window, rounded up.
        imputations: How often censored runs are set to their expectations; a second time moves them
            by less than a tenth of their spread.
    """

    straggler: float = 0.005
    change: float = 0.005
    spread: float = 1.5
    refit_margin: float = 6.0
    uninformative: float = -1.0
    fewest_kept: int = 4
    fewest_since: int = 2
    most: int = 8
    imputations: int = 2


@dataclass(frozen=True)
class NoisePrior:
    """How the noise that predicts is found: under a prior that no size of noise surprises.

    Attributes:
        std: Its most probable standard deviation. Source: the median over the measured suites.
        scale: Standard deviation of the log variance: a factor of 20. Source: diffuse on purpose.
        largest_variance: The largest variance of log noise that a prediction is inflated by:
            Student's t with nu = 2.
        noisy_start: The standard deviation of the noise at which one search starts. Source: at 30 %
            noise and more, searches from little noise end in worse optima; over 1,000 histories
            this start was never worse, and up to 9 nats better.
    """

    std: float = 0.1
    scale: float = 3.0
    largest_variance: float = 1.0
    noisy_start: float = 0.3


@dataclass(frozen=True)
class AnchorPrior:
    """What a window that does not identify the law takes from the fit before.

    Attributes:
        identifying_ratio: A window whose largest degree is less than this times its smallest says
            too little about p: at 1.5 the time of a job with p = 0.95 differs by 20 %, at 1.125 by
            5 %, which is a run's noise.
        residual_scale: Standard deviation of the logarithm around the residual's hyperparameters
            that were learned before. Source: regret.
        startup_scale: Standard deviation of log C around the logarithm of a measured start-up time:
            start-ups vary by a third.
    """

    identifying_ratio: float = 1.5
    residual_scale: float = 0.5
    startup_scale: float = 0.3


@dataclass(frozen=True)
class FailurePrior:
    """How runs fail (`arbo_bo.numerics.reliability`).

    Source of all: simulated troubled jobs, `make bench-troubled`.

    Attributes:
        rates: Rates at which runs fail by chance: stable, ordinary and flaky jobs.
        rate_odds: How common those jobs are.
        certain: How surely a run fails in an outage or beyond a limit; not 1, so that one odd
            success refutes neither alone.
        outage: Probability that an outage begins with a run.
        outage_stays: Probability that it lasts for another run: three runs on average.
        limit: Probability that a job which fails has had a limit from the start.
        change: Probability that a limit begins with a run.
        lifted: Probability a run that a limit is lifted unseen.
        tolerated: A degree is safe if it fails by no more than this more often than the most
            reliable one.
        horizon: H, how many later runs count that a degree serves once it was found to succeed.
            Less than in `ChoicePrior`: a failed night costs more than its time.
        least: Below this probability of success a degree is not worth a night, however much it
            would save.
        hopeless: Below this probability of success at the best degree, the default runs.
    """

    rates: tuple[float, ...] = (0.01, 0.05, 0.2)
    rate_odds: tuple[float, ...] = (0.6, 0.3, 0.1)
    certain: float = 0.98
    outage: float = 0.01
    outage_stays: float = 0.7
    limit: float = 0.3
    change: float = 0.01
    lifted: float = 0.01
    tolerated: float = 0.05
    horizon: float = 3.0
    least: float = 0.2
    hopeless: float = 0.5


@dataclass(frozen=True)
class HypothesisPrior:
    """What is weighed beside Amdahl's law (`arbo_bo.numerics.hypotheses`).

    Odds are against Amdahl's law with a small residual, before any run; 0: not weighed. Source of
    all: regret.

    Attributes:
        cliff: Odds of a cliff at the smallest degrees; how high it is, `LawPriors.cliff` says.
        usl: Odds of the Universal Scalability Law.
        rough: Odds of a law that holds roughly only.
        rough_std: Standard deviation of the smooth residual under it.
        deepest: So many of the smallest degrees that were run may lie below a cliff.
        beginnings: A gap between two degrees that were run has so many places at most where a
            cliff may end.
        least: A hypothesis of less weight is dropped.
    """

    cliff: float = 0.03
    usl: float = 0.03
    rough: float = 0.2
    rough_std: float = 0.4
    deepest: int = 2
    beginnings: int = 4
    least: float = 0.01


@dataclass(frozen=True)
class ChoicePrior:
    """What the choice assumes.

    Attributes:
        horizon: How many later runs a run's knowledge is for. Source: regret.
        trial_risk: Times the misses that a service level allows: what a run that explores may risk
            at most. Source: cost and misses over the measured suites, docs/benchmarks.md.
    """

    horizon: float = 8.0
    trial_risk: float = 4.0


@dataclass(frozen=True)
class Priors:
    """All of them, as one value."""

    laws: LawPriors = field(default_factory=LawPriors)
    structure: StructurePrior = field(default_factory=StructurePrior)
    residual: ResidualPrior = field(default_factory=ResidualPrior)
    anomalies: AnomalyPrior = field(default_factory=AnomalyPrior)
    noise: NoisePrior = field(default_factory=NoisePrior)
    anchor: AnchorPrior = field(default_factory=AnchorPrior)
    failures: FailurePrior = field(default_factory=FailurePrior)
    choice: ChoicePrior = field(default_factory=ChoicePrior)
    hypotheses: HypothesisPrior = field(default_factory=HypothesisPrior)


DEFAULT_PRIORS = Priors()
