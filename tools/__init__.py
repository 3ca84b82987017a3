"""Tools for maintainers. ``python -m tools.ship_run``."""
