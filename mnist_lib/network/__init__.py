"""The network: Table I by arithmetic, the network in Keras and in NumPy, and its precision.

Imports ``config`` and ``data``.
"""
