"""Planners of workflows, judged by replayed measurements."""
