"""Widgets that Streamlit does not have, each with its script and its style sheet."""
