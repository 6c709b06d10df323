// Puts a Switchboard form into the page: <div data-switchboard-form="KEY"></div> or right after this script.
// No dependencies; everything from outside goes in as text, never as markup.
const form = /* definition */ null;
const script = document.currentScript || document.querySelector('script[src*="/f/' + CSS.escape(form.key) + '/embed.js"]');
const url = script && script.src ? script.src.replace(/\/embed\.js(?:[?#].*)?$/, "") : form.url;

function start() {
  const hosts = [...document.querySelectorAll("[data-switchboard-form]")].filter((host) => {
    const key = host.getAttribute("data-switchboard-form");
    return !key || key === form.key;
  });
  if (hosts.length) hosts.forEach((host) => mount(host, form, url, {}));
  else if (script && script.parentNode && script.parentNode !== document.head) {
    const host = document.createElement("div");
    script.after(host);
    mount(host, form, url, {});
  }
}

if (!(script && script.dataset.attribution === "off")) remember();
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
