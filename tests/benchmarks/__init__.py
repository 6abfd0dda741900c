"""Figures to compare: `python -m tests.benchmarks [NAME]`; each prints a ratio."""
