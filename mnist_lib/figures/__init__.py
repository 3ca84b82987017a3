"""The plots and sheets of pictures: each function returns a Plotly figure or the bytes of a picture.

Imports everything below that has something to plot.
"""
