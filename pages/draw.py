"""Draw: a canvas, and what the network reads in it."""

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_lib.drawing import DrawingError, canvas_to_ink, normalize_drawing
from mnist_lib.ui.digit_view import draw_digit, draw_probabilities
from mnist_lib.ui.navigation import require_router, screen_link
from mnist_lib.ui.state import read_digit, selected_run, start_loading_keras

require_router()

CANVAS_SIZE_PX = 280
PEN_WIDTH_PX = 20

st.title("Draw")
run = selected_run()
if run is None or not run.has_model():
    st.info("This run has kept no model yet. Choose another run in the sidebar, or train one.", icon=":material/info:")
    screen_link("train", "Go to Train")
    st.stop()
start_loading_keras()
st.markdown(f"Draw one digit, large, with the mouse or a finger. **{run.run_id}** reads it after every stroke.")
# The canvas shows its own undo and redo above its upper edge.
st.space("small")


def clear() -> None:
    """Begin with an empty canvas: a new key is a new canvas."""
    st.session_state["canvas_number"] = st.session_state.get("canvas_number", 0) + 1


canvas_column, picture_column, answer_column = st.columns([5, 4, 5], gap="large")
with canvas_column:
    canvas = st_canvas(
        stroke_width=PEN_WIDTH_PX,
        stroke_color="#ffffff",
        background_color="#000000",
        height=CANVAS_SIZE_PX,
        width=CANVAS_SIZE_PX,
        return_image_data=True,
        key=f"canvas_{st.session_state.get('canvas_number', 0)}",
    )
    st.button("Clear", icon=":material/delete:", on_click=clear)

try:
    drawing = normalize_drawing(canvas_to_ink(canvas.image_data)) if canvas.image_data is not None else None
except DrawingError:
    drawing = None

if drawing is None:
    with picture_column:
        st.info("Nothing is drawn yet. Draw a digit on the black field.", icon=":material/draw:")
    st.stop()

with picture_column:
    draw_digit(drawing.image, key="drawn_image")
    st.caption(
        "**What the network sees.** Cropped to the ink, scaled into 20 × 20 pixels, "
        "placed by its centre of mass in 28 × 28, as MNIST was."
    )
with answer_column:
    outputs = read_digit(run, drawing.image)
    st.subheader(f"It reads a {outputs.argmax()}, {outputs.max():.0%} sure")
    draw_probabilities(outputs, key="drawn_probabilities")
