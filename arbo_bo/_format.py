"""Quantities as people read them."""


def format_time(seconds: float) -> str:
    """A time that is read at a glance: 340 ms, 4.21 s, 2 min 05 s, 3 h 20 min, 12.5 d."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    if seconds < 48 * 3600:
        hours, rest = divmod(round(seconds / 60), 60)
        return f"{hours} h {rest:02d} min"
    return f"{seconds / 86400:.3g} d"


def count(workers: int) -> str:
    """1 worker, 8 workers."""
    return "1 worker" if workers == 1 else f"{workers} workers"


def format_probability(probability: float) -> str:
    """A probability of three digits: below 0.001, 0.0312, 0.95, above 0.999."""
    if probability < 0.001:
        return "below 0.001"
    return "above 0.999" if probability > 0.999 else f"{probability:.3g}"
