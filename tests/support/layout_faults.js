// A function for the page: waits until nothing moves any more, and returns what is wrong with its layout, a line
// each, shadow roots included. Exceptions are pairs: "cut" or "overlap", and a selector of what is around the text.
async (exceptions) => {
  const SLACK_PX = 2;
  const faults = [];
  const excepted = (kind, element) => exceptions.some(([rule, selector]) => rule === kind && element.closest(selector));
  const parentOf = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host ?? null;
  const lineage = (element) => (element ? [element, ...lineage(parentOf(element))] : []);
  const contains = (outer, inner) => lineage(inner).includes(outer);
  const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  // Only for those who hear: a pixel large, or clipped away. Or folded away, as the sidebar.
  const isHidden = (element, style = getComputedStyle(element)) =>
    (element.matches("[data-testid=stSidebar]") && element.getBoundingClientRect().right <= 1) ||
    (style.position === "absolute" || style.position === "fixed") &&
    (style.clip === "rect(0px, 0px, 0px, 0px)" || style.clip === "rect(1px, 1px, 1px, 1px)" || style.clipPath === "inset(50%)" ||
      (element.offsetWidth <= 1 && element.offsetHeight <= 1));
  // Whether it, or what it is in, is hidden; asked once for each element.
  let asked = new Map();
  const isHiddenWithin = (element) => {
    if (!element) return false;
    if (!asked.has(element)) asked.set(element, isHidden(element) || isHiddenWithin(parentOf(element)));
    return asked.get(element);
  };
  const describe = (element, text = element.textContent || element.getAttribute("aria-label") || element.outerHTML) =>
    `“${text.trim().replace(/\s+/g, " ").slice(0, 60)}”`;

  // Every text and every control, as the rectangle in which it would show if nothing cut it.
  let pieces = [];
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (["SCRIPT", "STYLE", "TITLE", "OPTION"].includes(element.tagName) || !isSeen(element) || isHiddenWithin(element)) continue;
      const isSvgText = element.tagName === "text";
      const isControl = element.matches("button, a[href], input, textarea, summary, [role=slider]");
      const texts = isSvgText || element.closest("text") ? [] : [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
      if (isControl || (isSvgText && element.textContent.trim())) pieces.push({ element, rects: [element.getBoundingClientRect()], isControl });
      if (texts.length && element.tagName !== "TEXTAREA") {
        const range = document.createRange();
        range.setStart(texts[0], 0);
        range.setEnd(texts.at(-1), texts.at(-1).length);
        pieces.push({ element, rects: [...range.getClientRects()], isControl: false });
      }
      if (element.matches("input:not([type=range], [type=checkbox], [type=radio], [type=file])") && element.scrollWidth > element.clientWidth + SLACK_PX && !excepted("cut", element)) {
        faults.push(`cut: ${describe(element, element.value)}`);
      }
    }
  };
  const places = () => {
    pieces = [];
    asked = new Map();
    faults.length = 0;
    look(document.body);
    return JSON.stringify(pieces.map(({ rects }) => rects));
  };
  for (let before = "", now = places(); now !== before; [before, now] = [now, places()]) {
    await new Promise((done) => { setTimeout(done, 100); });
  }

  // What of them shows: parts in what can be scrolled may be out of sight, everything else must be seen whole.
  for (const piece of pieces) {
    let cut = null, anchored = false;
    piece.shown = piece.rects.filter(({ width, height }) => width > 1 && height > 1);
    for (let element = piece.element; element && piece.shown.length; element = parentOf(element)) {
      const style = getComputedStyle(element);
      if (anchored && style.position === "static") continue;  // it is placed by, and cut by, an ancestor of this one
      anchored = style.position === "absolute" && element !== document.body;
      if (element === piece.element && piece.isControl) continue;
      const cuts = { x: style.overflowX !== "visible", y: style.overflowY !== "visible" };
      if ((!cuts.x && !cuts.y) || style.display === "inline" || element === document.body) {
        if (style.position === "fixed") break;
        continue;
      }
      const scrolls = { x: /auto|scroll/.test(style.overflowX), y: /auto|scroll/.test(style.overflowY) };
      const frame = element.getBoundingClientRect();
      piece.shown = piece.shown.flatMap((rect) => {
        const left = cuts.x ? Math.max(rect.left, frame.left) : rect.left, right = cuts.x ? Math.min(rect.right, frame.right) : rect.right;
        const top = cuts.y ? Math.max(rect.top, frame.top) : rect.top, bottom = cuts.y ? Math.min(rect.bottom, frame.bottom) : rect.bottom;
        const lost = (!scrolls.x && cuts.x && rect.width - (right - left) > SLACK_PX) || (!scrolls.y && cuts.y && rect.height - (bottom - top) > 0.25 * rect.height);
        if (lost && !piece.isControl) cut ??= element;
        return right - left > 1 && bottom - top > 1 ? [{ left, right, top, bottom, width: right - left, height: bottom - top }] : [];
      });
      if (style.position === "fixed") break;
    }
    if (cut && !excepted("cut", piece.element)) faults.push(`cut: ${describe(piece.element)} by ${cut.tagName}.${cut.className?.baseVal ?? cut.className}`);
  }

  const seen = pieces.filter((piece) => piece.shown.length && !excepted("overlap", piece.element)).map((piece) => {
    // Between lines there is air, a quarter of their height: letters do not touch where lines do.
    const air = piece.isControl ? 0 : 0.25;
    return { ...piece, shown: piece.shown.map(({ left, right, top, bottom, height }) => ({ left, right, top: top + air * height, bottom: bottom - air * height })) };
  });
  const boxes = seen.flatMap((piece) => piece.shown.map((box) => ({ ...box, piece }))).sort((one, other) => one.top - other.top);
  boxes.forEach((one, place) => {
    for (let next = place + 1; next < boxes.length && boxes[next].top < one.bottom - SLACK_PX; next++) {
      const other = boxes[next];
      if (one.piece === other.piece) continue;
      const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const height = Math.min(one.bottom, other.bottom) - other.top;
      if (width <= SLACK_PX || height <= SLACK_PX) continue;
      const [first, second] = [one.piece.element, other.piece.element];
      if (contains(first, second) || contains(second, first)) continue;
      faults.push(`overlap: ${describe(first)} and ${describe(second)}`);
    }
  });

  for (const element of [document.documentElement, document.querySelector("[data-testid=stMain]")]) {
    if (element.scrollWidth > element.clientWidth + 1) faults.push(`scrolls sideways: ${element.dataset.testid ?? "the page"}`);
  }
  return [...new Set(faults)];
}
