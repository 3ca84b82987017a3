"""The Train screen: the settings, a running training, and how it ended."""
