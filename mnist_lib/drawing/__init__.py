"""From strokes and picture files to 28 x 28 pixels, and a person's own test set.

Imports ``runs`` and what lies below it.
"""
