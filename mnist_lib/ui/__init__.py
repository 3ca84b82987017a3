"""What the screens share: the only library code that imports Streamlit."""
