"""Tools for whoever ships a run or a picture. ``python -m tools.ship_run``, ``python -m tools.take_pictures``."""
