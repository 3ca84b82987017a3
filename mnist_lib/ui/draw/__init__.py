"""The Draw screen: canvas and picture files, the answer, the stages before it, the own test set."""
