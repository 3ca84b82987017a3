"""Archives that are checked before they are unpacked. Imports nothing of this project."""
