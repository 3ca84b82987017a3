"""What the Dataset screen shows."""
