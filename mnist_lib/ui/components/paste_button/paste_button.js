export default function ({ parentElement, data, setTriggerValue }) {
  let button = parentElement.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.textContent = "Paste a picture";
    const line = document.createElement("p");
    line.setAttribute("role", "status");
    parentElement.append(button, line);
  }
  const say = (text) => { parentElement.querySelector("p").textContent = text; };
  if (!button.onclick) say("or press Ctrl+V anywhere on this page");

  function send(file) {
    if (file.size > data.largest_bytes) {
      say("That picture's file is too large.");
      return;
    }
    const reader = new FileReader();
    reader.onload = () => { say(""); setTriggerValue("picture", reader.result); };
    reader.onerror = () => say("That picture cannot be read.");
    reader.readAsDataURL(file);
  }

  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith("image/"));
        if (type) return send(await item.getType(type));
      }
      say("There is no picture on the clipboard. Copy one first.");
    } catch {
      say("The browser does not let this page read the clipboard. Press Ctrl+V instead.");
    }
  };

  function onPaste(event) {
    const file = [...event.clipboardData.files].find((found) => found.type.startsWith("image/"));
    if (file) {
      event.preventDefault();
      send(file);
    }
  }
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}
