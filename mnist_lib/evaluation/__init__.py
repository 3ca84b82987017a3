"""Metrics from test probabilities and labels: accuracy, intervals, calibration, abstention, McNemar's test.

Plain NumPy on stored probabilities. Imports nothing from this project.
"""
