"""The digits: MNIST, the votes about its labels, and other ways to write the same digits.

Imports ``config`` and ``paths`` only.
"""
