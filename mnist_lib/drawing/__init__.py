"""From strokes and picture files to 28 x 28 pixels, and one's own test set of them.

Imports ``runs`` and what lies below it.
"""
