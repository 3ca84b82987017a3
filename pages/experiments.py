"""Experiments: several runs that belong together."""

import streamlit as st

from mnist_lib.ui.experiments.screen import render_experiments_screen
from mnist_lib.ui.navigation import require_router

require_router()

st.title("Experiments")
render_experiments_screen()
