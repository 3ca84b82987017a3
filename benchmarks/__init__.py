"""Measurements: each module prints a table and, with --json, one object. ``python -m benchmarks.training``."""
