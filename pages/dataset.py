"""Dataset: samples, class counts, one image down to its pixel values, and data sets of one's own."""

import streamlit as st

from mnist_lib.ui.dataset.screen import render_dataset_screen
from mnist_lib.ui.navigation import require_router

require_router()

st.title("Dataset")
render_dataset_screen()
