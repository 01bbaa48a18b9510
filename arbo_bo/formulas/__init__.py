"""The mathematics, once: pure functions on arrays, numpy or torch alike."""
