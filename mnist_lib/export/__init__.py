"""What a person takes away: the report, tables, and the network in other programs' forms.

Imports ``figures`` and what lies below it.
"""
