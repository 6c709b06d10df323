// On every page of the site: remembers, and tells it to forms of plain HTML when they are sent.
const came = remember();
const here = document.currentScript;
const desk = here && here.src ? new URL(here.src).origin : null;
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const to = new URL(form.getAttribute("action") || "", location.href);
    if (to.origin !== desk || !to.pathname.includes("/f/") || form.elements.namedItem("sb_attribution")) return;
    for (const [name, value] of [["sb_attribution", JSON.stringify(came)], ["page_url", location.href.slice(0, 2000)]]) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = value;
      form.append(input);
    }
  },
  true,
);
