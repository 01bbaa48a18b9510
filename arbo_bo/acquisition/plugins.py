"""Another package's acquisition function, asked about the allowed degrees of a decision."""

import torch

from arbo_bo.acquisition.registry import AcquisitionInputs, make_acquisition, named_failure
from arbo_bo.acquisition.search import evaluate_choices
from arbo_bo.errors import ShapeError
from arbo_bo.models.from_fit import amdahl_gp_of
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.choosers import Alternatives


def values_of(name: str, alternatives: Alternatives) -> Vector:
    """The value of every degree, shape (m,).

    Args:
        name: The acquisition function's.
        alternatives: The degrees, and what is believed of them.

    Raises:
        UnknownAcquisitionError: It is not installed here.
        AcquisitionError: It has failed, or gives something that is not a value a degree.
    """
    a = alternatives
    X, threads = torch.from_numpy(a.X), torch.get_num_threads()
    inputs = AcquisitionInputs(
        model=amdahl_gp_of(a.posterior.fit),
        choices=X[torch.from_numpy(a.looked_at)],
        objective=a.objective,
        slo=a.slo,
        X_pending=torch.from_numpy(a.pending) if len(a.pending) else None,
        seed=a.seed,
    )
    torch.set_num_threads(1)
    try:
        with named_failure(name):
            values = evaluate_choices(make_acquisition(name, inputs), X)
            if values.shape != (len(X),):
                raise ShapeError(
                    f"the values of {len(X)} degrees need shape ({len(X)},), got "
                    f"{tuple(values.shape)}; an acquisition function maps b x 1 x d to b"
                )
    finally:
        torch.set_num_threads(threads)
    return values.to(torch.float64).numpy()
