"""Tools for whoever ships a run. ``python -m tools.ship_run``."""
