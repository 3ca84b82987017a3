"""The Train screen: the settings, a running training, and its outcome."""
