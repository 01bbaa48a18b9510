"""`AxAmdahlGP`: seconds in, seconds out."""

import pytest
import torch
from ax.adapter.cross_validation import cross_validate
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.generation_strategy.generation_node import GenerationNode
from ax.generation_strategy.generation_strategy import GenerationStrategy
from ax.utils.sensitivity.sobol_measures import ax_parameter_sens
from botorch.fit import fit_gpytorch_mll
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood

from arbo_bo import AmdahlLaw
from arbo_bo.acquisition import ExpectedCost
from arbo_bo.errors import InvalidValueError
from arbo_bo.integrations.ax import AxAmdahlGP, amdahl_generator_spec

LAW = AmdahlLaw(100.0, 0.9, 2.0)
DEGREES = (1.0, 2.0, 4.0, 8.0)
X = torch.tensor([[s, 1.0, 0.0] for s in DEGREES], dtype=torch.float64)
CONTEXT = {"input_size": 1.0, "cluster_load": 0.0}
TIMES = torch.tensor([[LAW.runtime_s(int(s))] for s in DEGREES], dtype=torch.float64)


def told_client(**options):
    """Ax's client after six runs, the cluster being idle in all of them, and the node it asks."""
    client = Client(random_seed=0)
    degrees = ChoiceParameterConfig(
        name="parallelism", values=list(range(1, 17)), parameter_type="int", is_ordered=True
    )
    ranges = [
        RangeParameterConfig(name=name, bounds=bounds, parameter_type="float")
        for name, bounds in (("input_size", (0.1, 10)), ("cluster_load", (0, 100)))
    ]
    client.configure_experiment(name="nightly", parameters=[degrees, *ranges])
    client.configure_optimization(objective="-execution_time_s")
    node = GenerationNode(name="amdahl", generator_specs=[amdahl_generator_spec(**options)])
    client.set_generation_strategy(GenerationStrategy(nodes=[node]))
    for degree, size in ((1, 1.0), (2, 1.5), (4, 1.0), (8, 0.5), (16, 1.0), (4, 2.0)):
        parameters = {"parallelism": degree, "input_size": size, "cluster_load": 0.0}
        seconds = LAW.runtime_s(degree, gamma=size)
        index = client.attach_trial(parameters)
        client.complete_trial(index, raw_data={"execution_time_s": seconds})
    return client, node


@pytest.fixture(scope="module")
def adapter():
    client, node = told_client()
    client.get_next_trials(1, fixed_parameters=CONTEXT)
    return node._fitted_adapter


@pytest.fixture(scope="module")
def model():
    made = AxAmdahlGP(X, TIMES)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(made.likelihood, made))
    return made


def test_law_is_learned_from_seconds(model):
    assert model.law.runtime_s(16) == pytest.approx(LAW.runtime_s(16), rel=0.2)


@pytest.mark.parametrize("noisy", [False, True])
def test_posterior_has_the_moments_of_the_lognormal(model, noisy):
    posterior = model.posterior(X, observation_noise=noisy)
    samples = posterior.rsample(torch.Size([400_000])).squeeze(-1)
    assert torch.allclose(posterior.mean.flatten(), samples.mean(0), rtol=1e-3)
    found = torch.cov(samples.T)
    wanted = posterior.distribution.covariance_matrix
    assert torch.allclose(wanted, found, rtol=0.03, atol=0.03 * wanted.diagonal().max().item())


def test_observations_and_fantasies_are_in_seconds(model):
    at, told = X[:1], torch.tensor([[150.0]], dtype=torch.float64)
    before = model.posterior(at).mean
    after = model.condition_on_observations(at, told).posterior(at).mean
    assert before < after < told
    fantasies = model.fantasize(at, SobolQMCNormalSampler(torch.Size([16]), seed=1))
    assert torch.allclose(fantasies.posterior(at).mean.mean(), before, rtol=0.05)


def test_ax_cross_validates_in_seconds(adapter):
    for run in cross_validate(adapter):
        truth = run.observed.data.means[0]
        assert run.predicted.means[0] == pytest.approx(truth, rel=0.5)


def test_ax_chooses_by_arbos_own_function_when_it_is_given_one():
    client, _ = told_client(botorch_acqf_class=ExpectedCost)
    (chosen,) = client.get_next_trials(1, fixed_parameters=CONTEXT).values()
    costs = {s: LAW.runtime_s(s) * s**0.5 for s in range(1, 17)}
    assert costs[chosen["parallelism"]] < 1.03 * min(costs.values())


def test_importances_are_refused_where_ax_would_read_them_from_lengthscales(adapter):
    with pytest.raises(NotImplementedError, match="Failed to extract lengthscales"):
        adapter.feature_importances("execution_time_s")


def test_sensitivity_of_a_load_that_never_varied_is_nothing(adapter):
    sens = ax_parameter_sens(adapter, order="total", signed=False, num_mc_samples=64)
    found = sens["execution_time_s"]
    assert max(found, key=found.get) != "cluster_load"
    assert found["cluster_load"] < 0.01


def test_posterior_keeps_the_batch_shape(model):
    assert model.posterior(X.expand(5, 3, 4, 3)).mean.shape == (5, 3, 4, 1)


def test_known_noise_becomes_that_of_the_logarithm():
    model = AxAmdahlGP(X, TIMES, torch.full_like(TIMES, 4.0))
    expected = (4.0 / TIMES.square()).flatten()
    assert torch.allclose(model.likelihood.noise, expected)


def test_standardized_outcomes_are_refused():
    with pytest.raises(InvalidValueError, match="must not standardize"):
        AxAmdahlGP(X, (TIMES - TIMES.mean()) / TIMES.std())
