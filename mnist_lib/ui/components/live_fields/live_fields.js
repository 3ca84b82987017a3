const TYPING_PAUSE_MS = 350, MOVING_EVERY_MS = 80;

export default function ({ parentElement, data, setTriggerValue }) {
  const form = parentElement.closest(`.st-key-${data.form}`);
  const listening = new AbortController();
  const listen = (target, event, listener) =>
    target.addEventListener(event, listener, { capture: true, signal: listening.signal });

  let pause;
  listen(form, "input", ({ target }) => {
    clearTimeout(pause);
    // Not fractions: while typing 0.001, 0.0 would be rewritten as 0.
    const whole = target.type === "number" && Number.isInteger(Number(target.step));
    if (!whole || target.value === "") return;
    pause = setTimeout(() => {
      target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    }, TYPING_PAUSE_MS);
  });

  let held, wait;
  const tell = () => {
    wait = undefined;
    const value = Number(held.input.value);
    if (value === held.told) return;
    held.told = value;
    setTriggerValue("moved", { key: held.key, value, start: held.start });
    wait = setTimeout(tell, MOVING_EVERY_MS);
  };
  const observer = new MutationObserver(() => { if (held && !wait) tell(); });
  listen(form, "pointerdown", ({ target }) => {
    const slider = target.closest('[data-testid="stSlider"]');
    if (!slider) return;
    const input = slider.querySelector('input[type="range"]');
    const names = [...slider.closest('[class*="st-key-"]').classList];
    const key = names.find((name) => name.startsWith("st-key-")).slice("st-key-".length);
    held = { key, input, start: Number(input.value), told: Number(input.value) };
    observer.observe(input, { attributeFilter: ["value"] });
  });
  for (const event of ["pointerup", "pointercancel"]) {
    listen(window, event, () => {
      if (!held) return;
      clearTimeout(wait);
      tell();
      clearTimeout(wait);
      observer.disconnect();
      held = wait = undefined;
    });
  }
  return () => {
    clearTimeout(wait);
    observer.disconnect();
    listening.abort();
  };
}
