"""The run directory: the only interface between a training and its readers.

Reads and writes the files of a run, lists and compares runs, packs and unpacks them.
Imports ``network`` and what lies below it.
"""
