"""Planners by name, and the protocol that they follow."""
