"""The Draw screen: canvas and picture files, the answer, the stages before it, one's own test set."""
