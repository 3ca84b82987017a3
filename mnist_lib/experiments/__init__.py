"""Experiments: several runs that belong together, what they are planned to train, and what came of them."""
