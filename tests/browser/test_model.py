"""The Model screen in a real browser: every number in its calculations is Keras's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Position, expect

from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.network.layers import layer_table
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, draw_stroke, go_to
from tests.support.runs import BUNDLED_RUN, NETWORKS, PAPER_RUN, change_json, load_keras_model

PLACES = 20
IMAGE = 9
TOLERANCE = 1e-4
RUNS = {"accurate": BUNDLED_RUN, "paper": PAPER_RUN}

# Clicks on places of a layer's maps and reads what the calculation then says: every number with its name.
OPEN_AND_READ = """
([layer, places]) => {
  const roots = [...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean);
  const find = (query) => roots.map((root) => root.querySelector(query)).find(Boolean);
  const picture = find(".network"), calculation = find(".calculation");
  return places.map(([map, down, across, part]) => {
    const button = picture.querySelector(`.part[data-layer="${layer}"][data-map="${map}"]`);
    const box = button.getBoundingClientRect();
    const [clientX, clientY] = [box.left + across * box.width, box.top + down * box.height];
    button.dispatchEvent(new PointerEvent("click", { bubbles: true, detail: 1, clientX, clientY }));
    if (part !== null) calculation.querySelector(`.bars [data-part="${part}"]`).click();
    const numbers = {};
    for (const figure of calculation.querySelectorAll("[data-name][data-value]")) {
      (numbers[figure.dataset.name] ??= []).push(Number(figure.dataset.value));
    }
    for (const table of calculation.querySelectorAll("table[data-name]")) {
      numbers[table.dataset.name] = [...table.querySelectorAll("td")].map((cell) => Number(cell.dataset.value));
    }
    numbers.parts = [...calculation.querySelectorAll(".bars button")].map((bar) => Number(bar.dataset.value));
    numbers.shown = [...calculation.querySelectorAll("td[data-value], b[data-value]")].map((cell) =>
      [cell.textContent, Number(cell.dataset.value)]);
    return { numbers, text: calculation.innerText };
  });
}
"""


class Keras(NamedTuple):
    """What Keras makes of the image: the output and the weights of each layer, by its name."""

    outputs: dict[str, np.ndarray]
    weights: dict[str, list[np.ndarray]]
    inputs: dict[str, str]  # the name of the layer before it


class Opened(NamedTuple):
    """A Model screen of a run in a browser, and what Keras makes of the same image."""

    page: Page
    keras: Keras


def read_with_keras(run: Run, image: np.ndarray) -> Keras:
    import keras

    model = load_keras_model(run)
    names = [layer.name for layer in model.layers]
    every_layer = keras.Model(model.inputs, [layer.output for layer in model.layers])
    outputs = [np.asarray(output) for output in every_layer([scale_pixels(image[np.newaxis])])]
    return Keras(
        {"input": scale_pixels(image)} | {name: output[0] for name, output in zip(names, outputs, strict=True)},
        {layer.name: [np.asarray(array) for array in layer.get_weights()] for layer in model.layers},
        dict(zip(names, ["input", *names], strict=False)),
    )


def make_changed_run(runs_path: Path) -> Run:
    """Make a run of another network, with random weights."""
    from mnist_lib.network.model import build_model

    config = NETWORKS["odd sizes"]
    run = Run(runs_path / "20260101-000000-custom-seed0")
    shutil.copytree(PAPER_RUN.path, run.path, ignore=lambda *_: ["epochs"])
    change_json(run.path / "config.json", settings=config.to_dict())
    model = build_model(config)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(0, 0.2, array.shape) for array in model.get_weights()])
    model.save(run.model_path)
    return run


@pytest.fixture(scope="module", params=["accurate", "paper", "changed"])
def opened(
    request: pytest.FixtureRequest,
    shared_server: Server,
    profile: BrowserContext,
    dataset: Dataset,
    keras_loaded: None,
) -> Iterator[Opened]:
    """Each of two runs and a changed network, opened once for all tests of their numbers."""
    is_changed = request.param == "changed"
    # The shared server sees it for the length of these tests.
    run = make_changed_run(shared_server.runs_path) if is_changed else RUNS[request.param]
    page = profile.new_page()
    open_model(page, shared_server, f"image={IMAGE}&run={run.run_id}")
    yield Opened(page, read_with_keras(run, dataset.test_images[IMAGE]))
    page.close()
    if is_changed:
        shutil.rmtree(run.path)


@pytest.fixture(scope="module")
def model(profile: BrowserContext, shared_server: Server) -> Iterator[Page]:
    """A tab for all tests that begin with a click on a layer and leave the window as it is."""
    page = profile.new_page()
    open_model(page, shared_server)
    yield page
    page.close()


def open_model(page: Page, server: Server, address: str = "") -> None:
    page.goto(f"{server.url}/model?{address}")
    expect(heading(page)).to_be_visible()


def heading(page: Page) -> Locator:
    return page.get_by_role("region", name="Calculation").get_by_role("heading")


def sentence(page: Page) -> Locator:
    return page.get_by_role("region", name="Calculation").get_by_role("status")


def layer_button(page: Page, name: str) -> Locator:
    """Return the button above a layer."""
    return page.get_by_role("button", name=re.compile(f"^{name} [0-9]")).first


def random_places(shape: tuple[int, ...], parts: int | None = None) -> list[tuple[int, int, int, int | None]]:
    """Return map, row, column, and a part of the sum, of some places of a layer."""
    random = np.random.default_rng(1)
    height, width, maps = shape
    return [
        (
            int(random.integers(maps)),
            int(random.integers(height)),
            int(random.integers(width)),
            None if parts is None else int(random.integers(parts)),
        )
        for _ in range(PLACES)
    ]


def open_places(page: Page, layer: str, shape: tuple[int, ...], places: list) -> list[dict[str, Any]]:
    """Click on the middle of each place, and return what the calculation says of it."""
    height, width, _ = shape
    clicks = [(map_, (y + 0.5) / height, (x + 0.5) / width, part) for map_, y, x, part in places]
    return page.evaluate(OPEN_AND_READ, [layer, clicks])


def place_in(text: str) -> tuple[int, int]:
    """Return the row and the column of which the calculation speaks."""
    found = re.search(r"Row (\d+), column (\d+)", text, re.IGNORECASE)
    assert found
    return int(found[1]), int(found[2])


def near(expected: Any) -> Any:
    """Return what equals numbers as near as Keras's arithmetic in float32 allows."""
    return pytest.approx(expected, rel=0, abs=TOLERANCE)


def check_shown(numbers: dict[str, Any]) -> None:
    """Hold that the text of each number is that number, rounded."""
    assert numbers["shown"]
    for text, value in numbers["shown"]:
        if text.endswith("%"):
            assert float(text.strip(">%")) / 100 == pytest.approx(value, abs=1e-3)
        else:
            assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.0501, rel=0.01)


def test_numbers_of_a_convolution_are_those_of_keras(opened: Opened) -> None:
    page, keras = opened
    for layer in ("conv2d_1", "conv2d_2"):
        inputs, outputs = keras.outputs[keras.inputs[layer]], keras.outputs[layer]
        kernel, bias = keras.weights[layer]
        side, _, channels, _ = kernel.shape
        places = random_places(outputs.shape, parts=channels if channels > 1 else None)
        for (map_, _, _, part), read in zip(places, open_places(page, layer, outputs.shape, places), strict=True):
            numbers, channel = read["numbers"], part or 0
            y, x = place_in(read["text"])
            window, weights = inputs[y : y + side, x : x + side], kernel[..., map_]
            assert numbers["window"] == near(window[..., channel].ravel())
            assert numbers["kernel"] == near(weights[..., channel].ravel())
            products = window * weights
            assert numbers["products"] == near(products[..., channel].ravel())
            if channels > 1:
                assert numbers["parts"] == near(products.sum(axis=(0, 1)))
            assert numbers["sum"] == near([products.sum()])
            assert numbers["bias"] == near([bias[map_]])
            assert numbers["before ReLU"] == near([products.sum() + bias[map_]])
            assert numbers["result"] == near([outputs[y, x, map_]])
            check_shown(numbers)


def test_numbers_of_a_pooling_are_those_of_keras(opened: Opened) -> None:
    page, keras = opened
    layers = [name for name in keras.outputs if name.startswith("max_pooling2d")]
    for layer in layers:
        inputs, outputs = keras.outputs[keras.inputs[layer]], keras.outputs[layer]
        places = random_places(outputs.shape)
        for (map_, *_), read in zip(places, open_places(page, layer, outputs.shape, places), strict=True):
            y, x = place_in(read["text"])
            window = inputs[2 * y : 2 * y + 2, 2 * x : 2 * x + 2, map_].ravel()
            assert read["numbers"]["window"] == near(window)
            assert read["numbers"]["result"] == near([outputs[y, x, map_]])


def test_flattened_values_are_those_of_keras(opened: Opened) -> None:
    page, keras = opened
    places = [(0, y, x, None) for _, y, x, _ in random_places((40, 12, 1))]
    for read in open_places(page, "flatten", (40, 12, 1), places):
        found = re.search(r"\((\d+) × \d+ \+ (\d+)\) × \d+ \+ (\d+) = ([\d,]+)", read["text"])
        assert found
        y, x, map_, place = (int(text.replace(",", "")) for text in found.groups())
        assert read["numbers"]["result"] == near([keras.outputs["flatten"][place]])
        assert keras.outputs[keras.inputs["flatten"]][y, x, map_] == keras.outputs["flatten"][place]


def test_numbers_of_a_dense_unit_are_those_of_keras(opened: Opened) -> None:
    page, keras = opened
    (kernel, bias), inputs = keras.weights["dense_1"], keras.outputs["flatten"]
    maps = keras.outputs[keras.inputs["flatten"]].shape
    places = [(map_, 0, 0, None) for map_, *_ in random_places((1, 1, kernel.shape[1]))]
    for (unit, *_), read in zip(places, open_places(page, "dense_1", (1, 1, 1), places), strict=True):
        numbers = read["numbers"]
        products = inputs * kernel[:, unit]
        assert numbers["for"] == near([products[products > 0].sum()])
        assert numbers["against"] == near([products[products < 0].sum()])
        assert numbers["sum"] == near([products.sum()])
        assert numbers["bias"] == near([bias[unit]])
        assert numbers["result"] == near([keras.outputs["dense_1"][unit]])
        parts = products.reshape(-1, maps[-1]).sum(axis=0)  # of each map
        said = re.search(r"Map (\d+) gives the most: (−?)(\d+\.\d+)", read["text"])
        assert said
        assert int(said[1]) == np.abs(parts).argmax()
        assert float(said[3]) == pytest.approx(np.abs(parts).max(), abs=0.00051)
        found = re.search(r"Map (\d+), row (\d+), column (\d+):", read["text"])
        assert found
        map_, y, x = map(int, found.groups())
        place = (y * maps[1] + x) * maps[2] + map_
        assert place == int(np.abs(products).argmax())  # the strongest is opened first
        assert numbers["value"] == near([inputs[place]])
        assert numbers["weight"] == near([kernel[place, unit]])
        assert numbers["product"] == near([products[place]])
        check_shown(numbers)


def test_numbers_of_the_softmax_are_those_of_keras(opened: Opened) -> None:
    page, keras = opened
    (kernel, bias), units = keras.weights["dense_2"], keras.outputs["dense_1"]
    logits = units @ kernel + bias
    places = [(map_, 0, 0, part) for map_, _, _, part in random_places((1, 1, 10), parts=len(units))]
    for (digit, *_, part), read in zip(places, open_places(page, "dense_2", (1, 1, 1), places), strict=True):
        numbers = read["numbers"]
        assert numbers[f"unit {part}"] == near([units[part]])
        assert numbers["weight"] == near([kernel[part, digit]])
        assert numbers["product"] == near([units[part] * kernel[part, digit]])
        assert numbers["parts"] == near(units * kernel[:, digit])
        # The result of the sum, and then the column of all ten.
        assert numbers["logit"] == near([logits[digit], *logits])
        assert numbers["exponential"] == near(np.exp(logits - logits.max()))
        assert numbers["probability"] == near(keras.outputs["dense_2"])


def test_pixels_are_those_of_the_image(opened: Opened, dataset: Dataset) -> None:
    places = random_places((28, 28, 1))
    for read in open_places(opened.page, "input", (28, 28, 1), places):
        y, x = place_in(read["text"])
        assert read["numbers"]["pixel"] == [dataset.test_images[IMAGE][y, x]]
        assert read["numbers"]["result"] == near([dataset.test_images[IMAGE][y, x] / 255])


def test_keyboard_chooses_a_map_and_moves_the_window(model: Page) -> None:
    page = model
    layer_button(page, "Convolution 2").focus()
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text(re.compile("Convolution 2, map"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(heading(page)).to_have_text("Convolution 2, map 9")
    expect(page.get_by_role("button", name=re.compile("^Convolution 2, map 9:"))).to_have_attribute(
        "aria-pressed", "true"
    )
    row, column = place_in(sentence(page).inner_text())
    window = page.get_by_role("img", name=re.compile("What filter 9 makes"))
    window.focus()
    way = ("ArrowLeft", -1) if column else ("ArrowRight", 1)
    page.keyboard.press(way[0])
    expect(sentence(page)).to_contain_text(f"Row {row}, column {column + way[1]}:")
    expect(window).to_be_focused()


def test_arrow_keys_go_on_from_the_place_of_a_flattened_value(model: Page) -> None:
    page = model
    layer_button(page, "Flatten").click()
    said = re.search(r"row (\d+), column (\d+) of map (\d+)", sentence(page).inner_text())
    assert said
    row, column, map_ = map(int, said.groups())
    page.get_by_role("img", name=f"Map {map_} of 64").press("ArrowRight")
    expect(sentence(page)).to_contain_text(f"row {row}, column {column + 1} of map {map_}:")


def test_play_slides_the_window_and_pauses(model: Page) -> None:
    page = model
    layer_button(page, "Convolution 1").click()
    row, column = place_in(sentence(page).inner_text())
    page.get_by_role("button", name="Play", exact=True).click()
    expect(sentence(page)).not_to_contain_text(f"Row {row}, column {column}:")
    expect(sentence(page)).to_have_attribute("aria-live", "off")  # not read out at each step
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(sentence(page)).to_have_attribute("aria-live", "polite")
    row, column = place_in(sentence(page).inner_text())
    page.get_by_role("button", name="Previous place").click()
    assert place_in(sentence(page).inner_text()) != (row, column)


def test_another_image_or_epoch_keeps_the_chosen_place(shared_server: Server, page: Page, dataset: Dataset) -> None:
    open_model(page, shared_server)
    layer_button(page, "Softmax").click()
    expect(heading(page)).to_have_text("Softmax: 7")
    probability = sentence(page).inner_text()
    page.get_by_role("slider", name="Network after epoch").focus()
    page.keyboard.press("Home")
    expect(sentence(page)).not_to_have_text(probability)
    expect(heading(page)).to_have_text("Softmax: 7")
    page.get_by_role("spinbutton").fill("2")
    page.get_by_role("spinbutton").press("Enter")
    expect(page.get_by_role("group", name="The network with Test image 2, a 1")).to_be_visible()
    expect(heading(page)).to_have_text("Softmax: 7")


def test_row_of_table_1_opens_its_layer_each_time(shared_server: Server, page: Page) -> None:
    open_model(page, shared_server)
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    row = Position(x=60, y=35 * 5 + 17)  # its sixth row; the first one has the headings
    table.click(position=row)
    expect(heading(page)).to_have_text(re.compile("^Dense, unit"))
    expect(page.get_by_role("heading", name="Dense layer")).to_be_visible()
    layer_button(page, "Pooling").click()
    expect(page.get_by_role("heading", name="Max pooling")).to_be_visible()
    table.hover(position=Position(x=60, y=60))  # the table takes a click where it has seen the mouse
    table.click(position=row)
    expect(page.get_by_role("heading", name="Dense layer")).to_be_visible()


def test_dropout_draws_other_units_at_the_button(model: Page) -> None:
    page = model
    layer_button(page, "Dropout").click()
    units = page.get_by_role("img", name="of 64 units are dropped")
    dropped = "all => all.map((unit) => unit.className).join()"
    before = units.locator("i").evaluate_all(dropped)
    page.get_by_role("button", name="Draw again").click()
    assert units.locator("i").evaluate_all(dropped) != before
    expect(page.get_by_text(re.compile("^50 of 50 draws give the same answer"))).to_be_visible()


def test_link_from_mistakes_brings_the_image_and_the_epoch(shared_server: Server, page: Page) -> None:
    open_model(page, shared_server, "image=3&after_epoch=2")  # a choice made before does not stay
    go_to(page, "Mistakes")
    *_, earlier, before, last = BUNDLED_RUN.epochs_with_probabilities()
    expect(page.get_by_text(f"after epoch {last}:")).to_be_visible()  # Model has such a slider, too
    page.get_by_role("slider", name="Network after epoch").focus()
    for epoch in (before, earlier):
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_text(f"after epoch {epoch}:")).to_be_visible()
    image_id = page.get_by_role("group", name="Test images").get_by_role("button").first.get_attribute("data-id")
    page.get_by_role("link", name="See it go through the network").click()
    expect(page.get_by_role("group", name=f"The network with Test image {int(image_id or -1):,}, ")).to_be_visible()
    expect(page.get_by_role("slider", name="Network after epoch")).to_have_attribute("aria-valuetext", str(earlier))


def test_link_from_dataset_brings_a_training_digit(shared_server: Server, page: Page) -> None:
    open_model(page, shared_server, "image=3")  # a choice made before does not stay
    go_to(page, "Dataset")
    page.get_by_role("link", name="See it go through the network").click()
    expect(page.get_by_role("group", name="The network with Training image 0, a 5")).to_be_visible()


def test_own_drawing_goes_through_the_network(shared_server: Server, page: Page) -> None:
    open_model(page, shared_server)
    page.get_by_role("radio", name="Your own").click()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    page.get_by_role("link", name="Draw a digit").click()
    draw_stroke(page, [(140, 50), (140, 230)])
    page.get_by_role("link", name="See it go through the network").first.click()
    expect(page.get_by_role("group", name="The network with Your digit")).to_be_visible()
    layer_button(page, "Softmax").click()
    expect(heading(page)).to_have_text("Softmax: 1")


def test_picture_and_calculation_are_whole_in_a_narrow_window(shared_server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 860})
    open_model(page, shared_server)
    fits = "element => element.closest('.scroll').scrollWidth <= element.closest('.scroll').clientWidth"
    assert page.get_by_role("button", name=re.compile(r"^7 [0-9.]+%$")).evaluate(fits)
    page.set_viewport_size({"width": 400, "height": 860})
    for row in layer_table(NETWORKS["the paper's"]):
        title = {"conv2d_1": "Convolution 1", "conv2d_2": "Convolution 2", "dense_2": "Softmax"}.get(
            row.name, row.kind.split(",")[0].removesuffix("2D").replace("MaxPooling", "Pooling")
        )
        layer_button(page, title).click()
        expect(heading(page)).to_contain_text(title)
        calculation = page.get_by_role("region", name="Calculation")
        assert calculation.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_first_epoch_of_a_training_is_shown_when_it_is_there(
    shared_server: Server, shared_store: RunStore, page: Page
) -> None:
    run = Run(shared_store.root / "20260102-000000-paper-seed1")
    shutil.copytree(PAPER_RUN.path, run.path, ignore=shutil.ignore_patterns("epochs", "model.keras"))
    page.goto(f"{shared_server.url}/model?run={run.run_id}")
    expect(page.get_by_text("has nothing to show here")).to_be_visible()
    shutil.copytree(PAPER_RUN.path / "epochs", run.path / "epochs")
    expect(heading(page)).to_be_visible()
