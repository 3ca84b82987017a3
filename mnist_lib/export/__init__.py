"""What a person can download: the report, tables, and the network in other programs' formats.

Imports ``figures`` and what lies below it.
"""
