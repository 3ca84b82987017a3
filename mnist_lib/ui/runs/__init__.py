"""The Runs screen: the table of all runs, one of them, two of them, and loading."""
