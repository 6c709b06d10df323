// Draws what the editor around this page tells it to; sends nothing.
let drawn = null;
window.addEventListener("message", (event) => {
  if (event.origin !== location.origin || event.source !== window.parent || !event.data || !event.data.definition) return;
  const { definition, language, scheme } = event.data;
  document.documentElement.style.colorScheme = scheme === "dark" || scheme === "light" ? scheme : "";
  const host = document.createElement("div");
  if (language) host.lang = language;
  if (drawn) drawn.remove();
  drawn = host;
  document.getElementById("stage").append(host);
  mount(host, definition, definition.url, { preview: true, scheme });
  const texts = definition.texts[host.dataset.switchboardLanguage];
  if (texts) {
    document.documentElement.lang = host.dataset.switchboardLanguage;
    document.documentElement.dir = texts.direction;
  }
  window.parent.postMessage({ height: document.documentElement.scrollHeight }, location.origin);
});
window.parent.postMessage({ ready: true }, location.origin);
