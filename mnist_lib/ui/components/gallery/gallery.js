export default function ({ parentElement, data, setStateValue }) {
  if (parentElement.version > data.version) return;  // see versions.py
  parentElement.version = data.version;
  let grid = parentElement.querySelector(".tiles");
  if (!grid) {
    grid = document.createElement("div");
    grid.className = "tiles";
    grid.setAttribute("role", "group");
    // In one rule: repeated in each of 200 tiles, the picture would be megabytes of style.
    grid.sprite = document.createElement("style");
    parentElement.append(grid.sprite, grid);
  }
  grid.setAttribute("aria-label", data.label);
  grid.classList.toggle("names", data.tiles.some((tile) => tile.title.length > 7));
  grid.style.setProperty("--picture", `${data.picture_px}px`);
  const signature = data.sprite + JSON.stringify(data.tiles);
  if (grid.signature !== signature) {
    grid.signature = signature;
    grid.sprite.textContent = `.picture { background-image: url(${data.sprite}); }`;
    grid.replaceChildren(...data.tiles.map((tile, position) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `tile ${tile.tone}`;
      button.dataset.id = tile.id;
      button.title = tile.description;  // its name is what it shows
      const picture = document.createElement("span");
      picture.className = "picture";
      const column = position % data.columns, row = Math.floor(position / data.columns);
      picture.style.backgroundSize = `${data.columns * data.picture_px}px auto`;
      picture.style.backgroundPosition = `-${column * data.picture_px}px -${row * data.picture_px}px`;
      button.append(picture);
      for (const part of ["title", "note"]) {
        if (!tile[part]) continue;
        const text = document.createElement("span");
        text.className = part;
        text.textContent = tile[part];
        button.append(text);
      }
      return button;
    }));
  }
  // One stop for the Tab key; the arrow keys move from there, as in any grid.
  const mark = (id) => {
    for (const button of grid.children) {
      const chosen = button.dataset.id === String(id);
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  };
  const choose = (button, waitMs) => {
    mark(button.dataset.id);
    clearTimeout(grid.waiting);  // moving on quickly skips the tiles in between
    grid.waiting = setTimeout(() => setStateValue("selected", Number(button.dataset.id)), waitMs);
  };
  grid.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) choose(button, 0);
  };
  grid.onkeydown = (event) => {
    const buttons = [...grid.children];
    const place = buttons.indexOf(event.target.closest("button"));
    if (place < 0) return;
    const columns = Math.max(1, buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop));
    const inOneRow = buttons.every((button) => button.offsetTop === buttons[0].offsetTop);
    const row = inOneRow ? buttons.length : columns;
    const steps = {
      ArrowRight: place + 1, ArrowLeft: place - 1, ArrowDown: place + row, ArrowUp: place - row,
      Home: 0, End: buttons.length - 1,
    };
    const next = buttons[steps[event.key]];
    if (!(event.key in steps)) return;
    event.preventDefault();  // or the page would scroll, too
    if (!next) return;
    next.focus();
    choose(next, 150);
  };
  mark(data.selected);
}
