"""Plots and sheets of pictures: each function returns a Plotly figure or a picture.

Imports every package below that has something to plot.
"""
