import logging
from importlib.metadata import EntryPoint

import pytest
from fitted_models import CHOICES, fitted

from arbo_bo.acquisition import AcquisitionInputs, SLOConstrained, available, make_acquisition
from arbo_bo.acquisition import registry as module
from arbo_bo.acquisition.builtin import FACTORIES
from arbo_bo.errors import UnknownAcquisitionError
from arbo_bo.experiment import MaxCost, MaxExecutionTime

X = CHOICES.unsqueeze(-2)
BOTH = (MaxExecutionTime(30, 0.9), MaxCost(1, price_per_worker_hour=1))


def fastest(inputs):
    from arbo_bo.acquisition import ExpectedTime

    return ExpectedTime(inputs.model)


@pytest.fixture
def installed(monkeypatch):
    """Pretends that packages with these entry points are installed."""

    def install(**objects):
        points = [EntryPoint(name, value, module.ENTRY_POINTS) for name, value in objects.items()]
        monkeypatch.setattr(module, "entry_points", lambda group: points)
        module._third_party.cache_clear()

    yield install
    module._third_party.cache_clear()


@pytest.mark.parametrize("name", module.BUILTIN)
def test_every_name_makes_an_acquisition_function(name):
    inputs = AcquisitionInputs(fitted(), CHOICES, slo=BOTH, X_pending=CHOICES[3:4])
    assert make_acquisition(name, inputs)(X).shape == (32,)


def test_every_name_has_a_factory():
    assert set(module.BUILTIN) == set(FACTORIES)


@pytest.mark.parametrize("name", ["expected_cost", "expected_improvement", "lcb", "thompson"])
def test_infeasible_degrees_come_last_whatever_chooses(name):
    acquisition = make_acquisition(name, AcquisitionInputs(fitted(), CHOICES, slo=BOTH))
    kept = acquisition.feasible(X)
    assert acquisition(X)[kept].min() > acquisition(X)[~kept].max()


def test_acquisition_of_another_package_chooses_by_its_name(installed):
    installed(fastest=f"{__name__}:fastest")
    assert available()[-1] == "fastest"
    model = fitted()
    assert make_acquisition("fastest", AcquisitionInputs(model, CHOICES))(X).argmax() > 16
    under = make_acquisition("fastest", AcquisitionInputs(model, CHOICES, slo=BOTH))
    assert isinstance(under, SLOConstrained)


def test_unknown_name_is_answered_with_those_that_exist(installed):
    installed(fastest=f"{__name__}:fastest")
    with pytest.raises(
        UnknownAcquisitionError, match=r"expected_cost, .*budget.*fastest, got 'ei'"
    ):
        make_acquisition("ei", AcquisitionInputs(fitted(), CHOICES))


def test_broken_package_is_named_skipped_and_logged_once(installed, caplog):
    installed(broken="no_such_package_of_acquisitions:make", fastest=f"{__name__}:fastest")
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert "broken" not in available()
        with pytest.raises(UnknownAcquisitionError, match="'broken' could not be loaded: Module"):
            module.require("broken")
    assert len(caplog.records) == 1
    assert "'broken'" in caplog.text
    assert "no_such_package_of_acquisitions" in caplog.text


def test_own_names_cannot_be_taken(installed, caplog):
    installed(lcb=f"{__name__}:fastest")
    assert available() == module.BUILTIN
    assert "the name is arbo's own" in caplog.text


def test_names_are_checked_without_other_packages(installed):
    installed(broken="no_such_package_of_acquisitions:make")
    assert module.require("lcb") == "lcb"
    assert module._third_party.cache_info().currsize == 0
