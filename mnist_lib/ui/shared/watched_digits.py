"""The twenty test digits that are watched while a network learns."""

from __future__ import annotations

# The first test image of each digit, from 0 to 9.
FIRST_DIGITS = (3, 2, 1, 18, 4, 8, 11, 0, 61, 7)
# And a hard one, chosen by the epochs of the paper's run that ships with the project: of the images
# that it misread after some epochs and read after others, so that there is something to watch,
# the one whose true digit had the lowest probability on average.
HARD_DIGITS = (8325, 4507, 5634, 2953, 2771, 2597, 2135, 1039, 1955, 1232)

WATCHED_DIGITS = FIRST_DIGITS + HARD_DIGITS
