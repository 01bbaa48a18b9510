"""Paths that BoTorch draws vary as the posterior does."""

import pytest
import torch
from botorch.acquisition.thompson_sampling import PathwiseThompsonSampling
from botorch.sampling.pathwise import draw_kernel_feature_paths, draw_matheron_paths
from windows import MEANS, RESIDUALS, model_of, window

from arbo_bo.models import AmdahlGP, LogTime, fit_amdahl_gp

AT = torch.tensor(
    [[1.0, 1, 0], [3, 1, 0], [4, 0.6, 2], [12, 1.5, 4], [64, 1, 0]], dtype=torch.float64
)
DRAWS = torch.Size([2000])


def moments_agree(draws, posterior):
    mean, std = posterior.mean.squeeze(-1), posterior.variance.squeeze(-1).sqrt()
    assert torch.allclose(draws.mean(0), mean, atol=0.1 * std.max().item())
    assert torch.allclose(draws.std(0), std, rtol=0.1)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("n", [2, 12])
def test_paths_have_the_moments_of_the_posterior(mean, residual, n):
    torch.manual_seed(1)
    model = model_of(*window(n, 3), residual, mean=mean).eval()
    moments_agree(draw_matheron_paths(model, DRAWS)(AT), model.posterior(AT))


def test_paths_of_a_fitted_model_are_noisy_as_it_predicts():
    torch.manual_seed(1)
    model = fit_amdahl_gp(*window(8, 3, noise=0.2))
    moments_agree(draw_matheron_paths(model, DRAWS)(AT), model.posterior(AT))


def test_paths_of_a_batch_have_the_moments_of_its_posterior():
    torch.manual_seed(1)
    model = model_of(*window(6, 3, (2,))).eval()
    at = AT.expand(2, *AT.shape)
    moments_agree(draw_matheron_paths(model, DRAWS)(at), model.posterior(at))


def test_paths_vary_together_where_degrees_are_neighbours():
    torch.manual_seed(1)
    model = model_of(*window(6, 3)).eval()
    drawn = torch.corrcoef(draw_matheron_paths(model, DRAWS)(AT).T)
    covariance = model.posterior(AT).distribution.covariance_matrix
    std = covariance.diagonal().sqrt()
    assert torch.allclose(drawn, covariance / std.outer(std), atol=0.08)


def test_paths_are_of_seconds_when_the_model_is():
    torch.manual_seed(1)
    X, time = window(8, 3)
    model = AmdahlGP(X, time, outcome_transform=LogTime()).eval()
    drawn = draw_matheron_paths(model, DRAWS)(AT).log()
    moments_agree(drawn, model.posterior(AT).log_time)


def test_paths_of_the_prior_are_those_of_the_evaluated_model():
    torch.manual_seed(1)
    model = model_of(*window(8, 3)).eval()
    prior = model.forward(AT)
    drawn = draw_kernel_feature_paths(model, sample_shape=DRAWS)(AT)
    assert torch.allclose(drawn.std(0), prior.variance.sqrt(), rtol=0.1)
    assert torch.allclose(drawn.mean(0), prior.mean, atol=0.1 * prior.stddev.max().item())


def test_pathwise_thompson_sampling_varies_as_the_posterior_does():
    torch.manual_seed(1)
    model = model_of(*window(6, 3)).eval()
    draws = []
    for _ in range(40):
        sampling = PathwiseThompsonSampling(model)
        draws.append(sampling(AT.unsqueeze(-2)).squeeze(-1))
    spread = torch.stack(draws).std(0)
    assert torch.allclose(spread, model.posterior(AT).variance.squeeze(-1).sqrt(), rtol=0.4)
