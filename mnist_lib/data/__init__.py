"""Data sets: MNIST and those that a person adds; the votes on MNIST's labels, and random variations of its digits."""
