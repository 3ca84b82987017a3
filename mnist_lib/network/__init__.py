"""The network: Table I by arithmetic, the layers in Keras, and the precision they compute in.

Imports ``config`` and ``data``.
"""
