"""Reads data sets as others keep them, and looks at them before they are kept.

``reading`` finds out which format it is, one module per format reads it, and ``preparation`` makes a data set of it.
"""
