"""Runs: compare, rename, annotate, delete and download runs."""

import streamlit as st

from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.runs.screen import render_runs_screen

require_router()

st.title("Runs")
render_runs_screen()
