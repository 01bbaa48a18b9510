import pytest

from arbo_bo import ArboOptimizer


@pytest.fixture
def arbo(store_url):
    with ArboOptimizer(store_url) as optimizer:
        yield optimizer
