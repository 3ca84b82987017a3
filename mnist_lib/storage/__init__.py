"""Files written whole or not at all, and archives that are checked before they are unpacked.

Imports nothing from this project.
"""
