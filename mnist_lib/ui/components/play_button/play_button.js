const PAUSE_MS = 1000;

class Player {
  constructor(parent) {
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.onclick = () => (this.playing ? this.pause() : this.play());
    parent.append(this.button);
  }

  show({ step, at_end: atEnd }) {
    const arrived = step !== this.step;
    this.step = step;
    if (this.playing && arrived) {
      // Only now: on a slow machine the steps come more slowly, and none is left out.
      clearTimeout(this.waiting);
      if (atEnd) this.playing = false;
      else this.waiting = setTimeout(() => this.goOn(), PAUSE_MS);
    }
    this.name();
  }

  play() {
    this.playing = true;
    this.goOn();
    this.name();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.waiting);
    this.name();
  }

  goOn() {
    this.setTriggerValue("next", true);
  }

  name() {
    this.button.textContent = this.playing ? "❚❚ Pause" : "▶ Play";
  }
}

// Streamlit calls this with every change of data or theme, and the function that it returns at the end.
export default function ({ parentElement, data, setTriggerValue }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  parentElement.version = data.version;
  parentElement.player ??= new Player(parentElement);
  parentElement.player.setTriggerValue = setTriggerValue;
  parentElement.player.show(data);
  return () => { parentElement.player?.pause(); parentElement.player?.button.remove(); delete parentElement.player; };
}
