"""What test probabilities and labels say: accuracy, intervals, calibration, abstention, McNemar's test.

NumPy on stored probabilities. Imports nothing of this project.
"""
