"""A batch of models, or a model of several outputs, in parts."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from arbo_bo.experiment import Residual
from arbo_bo.models.kernel import RunNoise
from arbo_bo.models.outcome import RelativeTime

if TYPE_CHECKING:
    from arbo_bo.models.amdahl_gp import AmdahlGP


def sliced(model: "AmdahlGP", part: Callable[[Tensor], Tensor]) -> "AmdahlGP":
    """A copy of a model with a part of all that counts batch and outputs.

    Args:
        model: Of any batch shape; its outcome transform and number of outputs stay the caller's
            business.
        part: What to take of a tensor whose first dimensions are the batch and the outputs.
    """
    copy = deepcopy(model)
    copy._clear_cache()
    for parameter in copy.parameters():
        parameter.data = part(parameter.data)
    copy.mean_module.time_scale = part(copy.mean_module.time_scale)
    if isinstance(copy.likelihood, RunNoise):
        copy.likelihood.noise_inflation = part(copy.likelihood.noise_inflation)
    else:
        copy.likelihood.noise_covar.noise = part(copy.likelihood.noise)
    copy._aug_batch_shape = part(model.train_targets).shape[:-1]
    kernel = copy.covar_module
    for each in (kernel, kernel.base_kernel, kernel.smooth):
        each.batch_shape = copy._aug_batch_shape
    copy.set_train_data(part(model.train_inputs[0]), part(model.train_targets), strict=False)
    return copy


def members(model: "AmdahlGP") -> Iterator["AmdahlGP"]:
    """Each single model of a batch, and of each output, in turn; the model itself if it is single.

    What was changed of a member's hyperparameters by the time that the next one is asked for is
    taken over into the batch.

    Args:
        model: Of any batch shape, with inferred noise.
    """
    shape = model.train_targets.shape[:-1]
    if not shape:
        yield model
    for index in np.ndindex(*shape) if shape else ():
        member = sliced(model, itemgetter(index))
        if model.residual is Residual.ADDITIVE:
            member.outcome_transform = RelativeTime(member.mean_module.time_scale[None])
        member._num_outputs, member._input_batch_shape = 1, torch.Size()
        yield member
        for name, values in model.named_parameters():
            values.data[index] = member.get_parameter(name).data
        model.likelihood.noise_inflation[index] = member.likelihood.noise_inflation
