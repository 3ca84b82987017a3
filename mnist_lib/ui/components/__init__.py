"""Widgets that Streamlit does not have, each with its own script and style sheet."""
