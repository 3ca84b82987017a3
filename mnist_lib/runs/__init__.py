"""The run directory: the one interface between a training and whoever looks at it.

Reads and writes the files of a run, lists and compares runs, packs and unpacks them.
Imports ``network`` and what lies below it.
"""
