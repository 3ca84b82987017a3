"""Tools for maintainers: ``python -m tools.ship_run``, ``python -m tools.take_pictures``."""
