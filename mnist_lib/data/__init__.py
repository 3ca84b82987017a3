"""MNIST, the votes on its labels, and random variations of its digits.

Imports ``config`` and ``paths`` only.
"""
