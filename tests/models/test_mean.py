import math

import pytest
import torch

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import AmdahlLaw
from arbo_bo.models import AmdahlMean, LawPrior

X = torch.tensor([[1.0, 1, 0], [4, 2, 3], [32, 0.1, 0]], dtype=torch.float64)


@pytest.mark.parametrize("log_output", [True, False])
def test_mean_is_the_law_in_physical_units(log_output):
    mean = AmdahlMean(time_scale=100.0, log_output=log_output)
    mean.set_law(292.0, 0.93, 4.0, 1.1)
    law = AmdahlLaw(292.0, 0.93, 4.0, 1.1)
    expected = torch.tensor([law.runtime_s(s, g) for s, g, _ in X.tolist()], dtype=torch.float64)
    assert torch.allclose(mean(X), expected.log() if log_output else expected)


@pytest.mark.parametrize("batch_shape", [(), (2,), (3, 2)])
@pytest.mark.parametrize("x_batch", [(), (5,)])
def test_mean_of_a_batch_equals_a_loop(batch_shape, x_batch):
    generator = torch.Generator().manual_seed(1)
    mean = AmdahlMean(torch.Size(batch_shape))
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
        single = AmdahlMean()
        for one, many in zip(single.parameters(), mean.parameters(), strict=True):
            one.data.copy_(many[at])
        assert torch.allclose(values[(..., *at, slice(None))], single(X))


@pytest.mark.parametrize("log_output", [True, False])
def test_mean_has_the_gradient_of_its_inputs_and_parameters(log_output):
    mean = AmdahlMean(time_scale=3.0, log_output=log_output)
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


def test_parameters_have_priors_and_bounds():
    mean = AmdahlMean()
    priors = {name.rpartition(".")[2] for name, *_ in mean.named_priors()}
    assert priors == {"log_t1_prior", "logit_p_prior", "log_c_prior", "k_exponent_prior"}
    bounded = {name for name, _ in mean.named_constraints()}
    assert len(bounded) == 4


def test_law_outside_the_bounds_is_moved_inside():
    mean = AmdahlMean()
    mean.set_law(1e30, 1.0, 0.0, 9.0)
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
    clean = LawPrior().time_scale(s, gamma, time)
    time[2] *= 100
    assert LawPrior().time_scale(s, gamma, time).item() == pytest.approx(clean.item(), rel=0.3)
