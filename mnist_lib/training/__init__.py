"""Training: the loop, its learning rates and callbacks, and its start in a separate process.

Imports ``runs`` and what lies below it.
"""
