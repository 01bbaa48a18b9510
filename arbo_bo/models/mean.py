"""The laws that the Gaussian process can stand on."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from arbo_bo.experiment import AmdahlLaw, MeanFunction
from arbo_bo.models.scalability import ScalabilityMean
from arbo_bo.numerics.hyperparameters import amdahl_parameters
from arbo_bo.numerics.laws import LAWS


class AmdahlMean(ScalabilityMean):
    """T(s, gamma) = C + gamma^k T1 ((1 - p) + p / s), or its logarithm, in physical units.

    Learned as log(T1 / u), logit(p), log(C / u) and k; `t1`, `p`, `c` and `k` read the physical
    values. See `ScalabilityMean` for arguments and errors.

    Source: Amdahl 1967; the scaling gamma^k, the start-up C and the residual on top are ARBO's.
    """

    LAW = LAWS[MeanFunction.AMDAHL]

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

    def set_law(self, law: AmdahlLaw) -> None:
        """Sets the parameters from physical values, moved inside the bounds."""
        self.set_learned(amdahl_parameters(law))


class UniversalScalabilityMean(AmdahlMean):
    """T = C + gamma^k T1 / s (1 + sigma (s - 1) + kappa s (s - 1)), or its logarithm.

    With sigma = 1 - p this is Amdahl's law with gamma^k T1 kappa (s - 1) added: past s =
    sqrt(p / kappa) more workers are slower. `law` leaves that term out. See `ScalabilityMean` for
    arguments and errors.

    Source: N. J. Gunther, Guerrilla Capacity Planning, Springer 2007.
    """

    LAW = LAWS[MeanFunction.USL]

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

    LAW = LAWS[MeanFunction.ERNEST]

    log_t1: Tensor
    log_fixed: Tensor
    log_tree: Tensor
    log_linear: Tensor
    k_exponent: Tensor


MEANS: Mapping[MeanFunction, type[ScalabilityMean]] = MappingProxyType(
    {mean.NAME: mean for mean in (AmdahlMean, UniversalScalabilityMean, ErnestMean)}
)
