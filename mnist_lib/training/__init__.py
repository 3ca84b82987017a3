"""Training: the loop, its learning rates, what it records, and its start in a process of its own.

Imports ``runs`` and what lies below it.
"""
