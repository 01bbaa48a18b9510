"""The laws that the Gaussian process can stand on."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from arbo_bo.experiment import AmdahlLaw, MeanFunction
from arbo_bo.formulas import law as formulas
from arbo_bo.models.scalability import Parameter, ScalabilityMean

WORK = Parameter(-14.0, 14.0, (0.0, 1.5), anchor=1.5, timed=True)
"""log(T1 / u); its anchor leaves the level free."""
FRACTION = Parameter(-7.0, 10.0, (3.0, 1.75), anchor=0.1)
STARTUP = Parameter(-14.0, 7.0, (-4.0, 0.5), anchor=0.3, timed=True)
EXPONENT = Parameter(0.0, 4.0, (1.0, 0.4), anchor=0.1)
COHERENCY = Parameter(-20.0, 2.0, (-8.0, 2.0), anchor=0.1)
OVERHEAD = Parameter(-14.0, 7.0, (-5.0, 2.0), anchor=0.3, timed=True)
FIXED = Parameter(-14.0, 7.0, (-2.5, 1.5), anchor=0.1, timed=True)


class AmdahlMean(ScalabilityMean):
    """T(s, gamma) = C + gamma^k T1 ((1 - p) + p / s), or its logarithm, in physical units.

    Learned as log(T1 / u), logit(p), log(C / u) and k; `t1`, `p`, `c` and `k` read the physical
    values. See `ScalabilityMean` for arguments and errors.

    Source: Amdahl 1967; the scaling gamma^k, the start-up C and the residual on top are ARBO's.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {"log_t1": WORK, "logit_p": FRACTION, "log_c": STARTUP, "k_exponent": EXPONENT}
    )
    STARTS: ClassVar[tuple[Mapping[str, float], ...]] = ({"logit_p": 0.0}, {"log_c": -2.0})
    NAME = MeanFunction.AMDAHL
    FORMULA = formulas.AMDAHL

    log_t1: Tensor
    logit_p: Tensor
    log_c: Tensor
    k_exponent: Tensor

    @property
    def t1(self) -> Tensor:
        """T1, work time at s = 1 and gamma = 1 [s], ``batch_shape x 1``."""
        return self.time_scale * self.log_t1.exp()

    @property
    def p(self) -> Tensor:
        """The parallelizable fraction, in (0, 1), ``batch_shape x 1``."""
        return torch.sigmoid(self.logit_p)

    @property
    def c(self) -> Tensor:
        """C, start-up time [s], ``batch_shape x 1``."""
        return self.time_scale * self.log_c.exp()

    @property
    def k(self) -> Tensor:
        """The complexity exponent, ``batch_shape x 1``."""
        return self.k_exponent

    @property
    def law(self) -> AmdahlLaw:
        """T1, p, C and k of a single mean."""
        learned = self.learned
        t1, c = math.exp(learned["log_t1"]), math.exp(learned["log_c"])
        return AmdahlLaw(t1_s=t1, p=self.p.item(), c_s=c, k=learned["k_exponent"])

    def set_law(self, law: AmdahlLaw) -> None:
        """Sets the parameters from physical values, moved inside the bounds."""
        self.set_learned(formulas.amdahl_parameters(law))


class UniversalScalabilityMean(AmdahlMean):
    """T = C + gamma^k T1 / s (1 + sigma (s - 1) + kappa s (s - 1)), or its logarithm.

    With sigma = 1 - p this is Amdahl's law with gamma^k T1 kappa (s - 1) added: past s =
    sqrt(p / kappa) more workers are slower. `law` leaves that term out. See `ScalabilityMean` for
    arguments and errors.

    Source: N. J. Gunther, Guerrilla Capacity Planning, Springer 2007.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {**AmdahlMean.PARAMETERS, "log_kappa": COHERENCY}
    )
    STARTS: ClassVar[tuple[Mapping[str, float], ...]] = (
        {"logit_p": 0.0},
        {"log_c": -2.0},
        {"log_kappa": -4.0},
    )
    NAME = MeanFunction.USL
    FORMULA = formulas.USL

    log_kappa: Tensor

    @property
    def kappa(self) -> Tensor:
        """The cost of coherency, ``batch_shape x 1``."""
        return self.log_kappa.exp()


class ErnestMean(ScalabilityMean):
    """T = theta0 + theta1 gamma^k / s + theta2 log s + theta3 s with theta > 0, or its logarithm.

    The input size acts on the work that is divided, as in the source; its exponent is learned. The
    part that is Amdahl's law has T1 = theta1, p = 1 and C = theta0. See `ScalabilityMean` for
    arguments and errors.

    Source: S. Venkataraman et al., Ernest, NSDI 2016.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "log_t1": WORK,
            "log_fixed": FIXED,
            "log_tree": OVERHEAD,
            "log_linear": OVERHEAD,
            "k_exponent": EXPONENT,
        }
    )
    STARTS: ClassVar[tuple[Mapping[str, float], ...]] = ({"log_fixed": -0.7}, {"log_linear": -3.0})
    NAME = MeanFunction.ERNEST
    FORMULA = formulas.ERNEST

    log_t1: Tensor
    log_fixed: Tensor
    log_tree: Tensor
    log_linear: Tensor
    k_exponent: Tensor

    @property
    def law(self) -> AmdahlLaw:
        """Theta1 as perfectly parallel work, theta0 as start-up."""
        learned = self.learned
        t1, fixed = math.exp(learned["log_t1"]), math.exp(learned["log_fixed"])
        return AmdahlLaw(t1_s=t1, p=1.0, c_s=fixed, k=learned["k_exponent"])


MEANS: Mapping[MeanFunction, type[ScalabilityMean]] = MappingProxyType(
    {mean.NAME: mean for mean in (AmdahlMean, UniversalScalabilityMean, ErnestMean)}
)
