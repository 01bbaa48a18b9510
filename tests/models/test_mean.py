import math

import pytest
import torch

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import AmdahlLaw
from arbo_bo.models import AmdahlMean, ErnestMean, UniversalScalabilityMean

MEANS = [AmdahlMean, UniversalScalabilityMean, ErnestMean]
X = torch.tensor([[1.0, 1, 0], [4, 2, 3], [32, 0.1, 0]], dtype=torch.float64)


@pytest.mark.parametrize("log_output", [True, False])
def test_mean_is_the_law_in_physical_units(log_output):
    mean = AmdahlMean(time_scale=100.0, log_output=log_output)
    mean.set_law(AmdahlLaw(292.0, 0.93, 4.0, 1.1))
    law = AmdahlLaw(292.0, 0.93, 4.0, 1.1)
    expected = torch.tensor([law.runtime_s(s, g) for s, g, _ in X.tolist()], dtype=torch.float64)
    assert torch.allclose(mean(X), expected.log() if log_output else expected)


@pytest.mark.parametrize("batch_shape", [(), (2,), (3, 2)])
@pytest.mark.parametrize("x_batch", [(), (5,)])
@pytest.mark.parametrize("kind", MEANS)
def test_mean_of_a_batch_equals_a_loop(kind, batch_shape, x_batch):
    generator = torch.Generator().manual_seed(1)
    mean = kind(torch.Size(batch_shape))
    for parameter in mean.parameters():
        noise = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data.add_(noise)
    x = X.expand(*x_batch, *([1] * len(batch_shape)), *X.shape)
    values = mean(x)
    assert values.shape == (*x_batch, *batch_shape, 3)
    for index in (
        torch.cartesian_prod(*(torch.arange(n) for n in batch_shape)) if batch_shape else []
    ):
        at = tuple(index.reshape(-1).tolist())
        single = kind()
        for one, many in zip(single.parameters(), mean.parameters(), strict=True):
            one.data.copy_(many[at])
        assert torch.allclose(values[(..., *at, slice(None))], single(X))


@pytest.mark.parametrize("log_output", [True, False])
@pytest.mark.parametrize("kind", MEANS)
def test_mean_has_the_gradient_of_its_inputs_and_parameters(kind, log_output):
    mean = kind(time_scale=3.0, log_output=log_output)
    x = X.clone().requires_grad_()
    assert torch.autograd.gradcheck(mean, (x,))
    names = [name for name, _ in mean.named_parameters()]

    def by_parameters(*values):
        return torch.func.functional_call(mean, dict(zip(names, values, strict=True)), (X,))

    values = tuple(p.detach().clone().requires_grad_() for p in mean.parameters())
    assert torch.autograd.gradcheck(by_parameters, values)


def test_mean_is_float64_when_torchs_default_is_float32():
    assert torch.get_default_dtype() is torch.float32
    assert {p.dtype for p in AmdahlMean().parameters()} == {torch.float64}


@pytest.mark.parametrize("kind", MEANS)
def test_parameters_have_priors_and_bounds(kind):
    mean = kind()
    priors = {name.rpartition(".")[2] for name, *_ in mean.named_priors()}
    assert priors == {f"{name}_prior" for name in kind.PARAMETERS}
    assert len(dict(mean.named_constraints())) == len(priors)


@pytest.mark.parametrize("kind", MEANS)
def test_learned_parameters_carry_their_unit_when_the_scale_differs(kind):
    mean, other = kind(time_scale=3.0), kind(time_scale=50.0)
    other.set_learned(mean.learned)
    assert torch.allclose(other(X), mean(X))


def test_usl_is_slower_again_past_its_best_degree():
    mean = UniversalScalabilityMean()
    mean.set_law(AmdahlLaw(100.0, 0.96))
    mean.set_learned({"log_kappa": math.log(0.0015)})
    s = torch.tensor([[1.0, 1], [25, 1], [100, 1]], dtype=torch.float64)
    assert mean.p.item() / mean.kappa.item() == pytest.approx(640.0)
    assert mean(s).argmin() == 1


def test_law_is_the_part_that_is_amdahls():
    usl, ernest = UniversalScalabilityMean(time_scale=9.0), ErnestMean(time_scale=9.0)
    usl.set_law(AmdahlLaw(100.0, 0.96, 2.0, 1.1))
    ernest.set_learned({"log_t1": math.log(80.0), "log_fixed": math.log(7.0), "k_exponent": 0.5})
    assert usl.law.runtime_s(4) == pytest.approx(AmdahlLaw(100.0, 0.96, 2.0, 1.1).runtime_s(4))
    assert ernest.law.runtime_s(4) == pytest.approx(80 / 4 + 7)


def test_law_outside_the_bounds_is_moved_inside():
    mean = AmdahlMean()
    mean.set_law(AmdahlLaw(1e30, 1.0, 0.0, 9.0))
    assert math.isfinite(mean.t1.item())
    assert 0.999 < mean.p.item() < 1
    assert mean.c.item() > 0
    assert mean.k.item() == 4


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_mean_is_refused_when_its_time_scale_is_not_positive(scale):
    with pytest.raises(InvalidValueError):
        AmdahlMean(time_scale=scale)


def test_inputs_are_refused_when_gamma_is_missing():
    with pytest.raises(ShapeError, match=r"\(3, 1\)"):
        AmdahlMean()(X[:, :1])


def test_time_scale_is_moved_little_by_a_straggler():
    s, gamma = torch.tensor([1.0, 2, 4, 8]), torch.ones(4)
    time = 100 * (0.1 + 0.9 / s)
    clean = AmdahlMean.scale_of(s, gamma, time)
    time[2] *= 100
    assert AmdahlMean.scale_of(s, gamma, time).item() == pytest.approx(clean.item(), rel=0.3)
