"""A normal time cut to T > 0, the additive residual's: expectations without a closed form.

Each is a Gauss-Legendre rule over the part of z = (T - mu) / sigma that matters, from z0 = -mu /
sigma (T = 0) upwards, so that it is exact to rounding where the cut is far away, and sound where
T > 0 is itself unlikely. All arguments broadcast; everything is differentiable.
"""

import math

import torch
from botorch.utils.probability.utils import leggauss, log_ndtr, log_prob_normal_in, ndtr
from torch import Tensor

NODES = 64
REACH = 9.0
"""Standard deviations beyond which a normal density is nothing to a double."""
LOG_LARGEST = 700.0


def log_probability_below(mu: Tensor, sigma: Tensor, log_t: Tensor) -> Tensor:
    """Log P(T <= t | T > 0) for T ~ N(mu, sigma^2).

    Args:
        mu: Mean [s].
        sigma: Standard deviation [s], above 0.
        log_t: log t [log s].
    """
    z0 = -mu / sigma
    z = z0 + log_t.clamp_max(LOG_LARGEST).exp() / sigma
    z = torch.maximum(z, torch.nextafter(z0, torch.full_like(z0, math.inf)).detach())
    return log_prob_normal_in(z0, z) - log_ndtr(-z0)


def log_time_moments(mu: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of log T given T > 0, for T ~ N(mu, sigma^2).

    Args:
        mu: Mean [s].
        sigma: Standard deviation [s], above 0.
    """
    z0 = -mu / sigma
    low = z0.clamp_min(-REACH)
    width = _upper(z0) - low
    x, weight = _rule(mu)
    steps = width.unsqueeze(-1) * x
    z = low.unsqueeze(-1) + steps
    log_time = sigma.log().unsqueeze(-1) + ((low - z0).unsqueeze(-1) + steps).log()
    # The shift keeps exp() in range where T > 0 is unlikely; it cancels in the normalisation.
    density = weight * torch.exp(
        (z.amin(-1, keepdim=True) ** 2 * (z0 > 0).unsqueeze(-1) - z**2) / 2
    )
    density = density / density.sum(-1, keepdim=True)
    mean = (density * log_time).sum(-1)
    variance = (density * (log_time - mean.unsqueeze(-1)) ** 2).sum(-1)
    return mean, variance.clamp_min(torch.finfo(mu.dtype).tiny).sqrt()


def log_improvement(mu: Tensor, sigma: Tensor, log_t: Tensor) -> Tensor:
    """Log E[max(log t - log T, 0) | T > 0] for T ~ N(mu, sigma^2).

    Args:
        mu: Mean [s].
        sigma: Standard deviation [s], above 0.
        log_t: log t, what is to be undercut [log s].
    """
    # Everything is measured downwards from z_t, so that nothing cancels however far out it lies.
    z0, span = -mu / sigma, log_t.clamp(-LOG_LARGEST, LOG_LARGEST).exp() / sigma
    z_t = z0 + span
    beneath = -z_t.clamp_max(0)
    fall = 80 / ((beneath**2 + 80).sqrt() + beneath)  # the density falls by e^-40 within it
    skip = (z_t - _upper(z0)).clamp_min(0)
    width = torch.minimum(z_t.clamp_min(0) + fall, span) - skip
    x, weight = _rule(mu)
    top, step = (z_t - skip).unsqueeze(-1), width.unsqueeze(-1) * (1 - x)
    gap = -torch.log1p(-(skip.unsqueeze(-1) + step) / span.unsqueeze(-1))  # log t - log T
    terms = weight.log() + gap.log() + top * step - step**2 / 2
    density = (torch.logsumexp(terms, -1) + width.log()) - top.squeeze(-1) ** 2 / 2
    return density - math.log(2 * math.pi) / 2 - log_ndtr(-z0)


def cut_draw(mu: Tensor, sigma: Tensor, value: Tensor) -> Tensor:
    """A draw of N(mu, sigma^2) moved to the same quantile of the normal cut to T > 0.

    Args:
        mu: Mean [s].
        sigma: Standard deviation [s], above 0.
        value: The draw [s], of either sign.
    """
    tiny = torch.finfo(mu.dtype).tiny
    upper_tail = ndtr((mu - value) / sigma) * ndtr(mu / sigma)
    return (mu - sigma * torch.special.ndtri(upper_tail.clamp_min(tiny))).clamp_min(tiny)


def _upper(z0: Tensor) -> Tensor:
    """Where the density above z0 has fallen to nothing."""
    return (z0.clamp_min(0) ** 2 + REACH**2).sqrt()


def _rule(like: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [0, 1]: Gauss-Legendre in the root, which tames log T at T = 0."""
    nodes, weights = leggauss(NODES, dtype=like.dtype, device=like.device)
    root = (nodes + 1) / 2
    return root**2, root * weights
