// Puts a Switchboard form into the page: <div data-switchboard-form="KEY"></div> or right after this script.
// No dependencies; everything from outside goes in as text, never as markup.
(function (form) {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src*="/f/' + CSS.escape(form.key) + '/embed.js"]');
  const url = script && script.src ? script.src.replace(/\/embed\.js(?:[?#].*)?$/, "") : form.url;
  const opened = performance.now();

  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function identifier() {
    if (crypto.randomUUID) return crypto.randomUUID();
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function mount(host) {
    if (host.shadowRoot || host.dataset.switchboardReady) return;
    host.dataset.switchboardReady = "true";
    const wanted = [host.lang, document.documentElement.lang, ...(navigator.languages || [navigator.language])];
    const language = wanted.map((tag) => String(tag || "").split("-")[0].toLowerCase()).find((tag) => form.words[tag]) || "en";
    const words = form.words[language];
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet(); // allowed by any style-src
      sheet.replaceSync(form.style);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", null, form.style));
    }
    const direction = getComputedStyle(host).direction || words.direction;
    const main = make("section", { class: "embedded", lang: language, dir: direction });
    const heading = form.title || words.title;
    main.setAttribute("aria-label", heading);
    root.append(main);
    main.append(make("h2", { dir: "auto" }, heading));
    if (form.paused) {
      main.append(make("p", { class: "message", role: "status" }, words.paused));
      return;
    }
    draw(host, main, words, language);
  }

  function draw(host, main, words, language) {
    const page = identifier(); // the same for a repeated post: the server knows it again
    const rows = new Map();
    const body = make("form", { novalidate: true });
    const alert = make("div", { class: "errors", role: "alert", tabindex: "-1", hidden: true });

    function row(name, input, label) {
      const error = make("p", { class: "error", id: input.id + "-error", hidden: true });
      const wrap = make("div", { class: "field" }, ...(input.type === "checkbox" ? [label] : [label, input]), error);
      rows.set(name, { input, wrap, error });
      return wrap;
    }

    form.fields.forEach((field, index) => {
      if (field.kind === "hidden") {
        body.append(make("input", { type: "hidden", name: field.name, value: field.value || "" }));
        return;
      }
      const common = { id: "field-" + index, name: field.name, required: field.required };
      const label = field.labels[language];
      let input;
      if (field.kind === "textarea") {
        input = make("textarea", { ...common, rows: 4, dir: "auto", maxlength: field.max, placeholder: field.placeholder });
        input.value = field.value || "";
      } else if (field.kind === "select") {
        input = make("select", common, make("option", { value: "" }, words.choose));
        for (const option of field.options) input.append(make("option", { value: option, selected: option === field.value }, option));
      } else if (field.kind === "checkbox") {
        input = make("input", { ...common, type: "checkbox", value: "on", checked: ["on", "true", "1", "yes"].includes(field.value) });
        body.append(row(field.name, input, make("label", { class: "box" }, input, make("span", { dir: "auto" }, label))));
        return;
      } else {
        const text = !["file", "number", "date"].includes(field.kind);
        input = make("input", {
          ...common, type: field.kind, value: field.file ? null : field.value, placeholder: field.placeholder, autocomplete: field.autocomplete,
          maxlength: text ? field.max : null, step: field.kind === "number" ? "any" : null, multiple: field.file,
          dir: field.kind === "tel" ? "ltr" : text ? "auto" : null,
        });
      }
      const optional = field.required ? null : make("span", { class: "optional" }, " (" + words.optional + ")");
      body.append(row(field.name, input, make("label", { for: input.id }, make("bdi", null, label), optional)));
    });

    if (form.consent) {
      const input = make("input", { type: "checkbox", id: "consent", name: form.names.consent, value: "on", required: form.consent.required });
      const text = make("span", { dir: "auto" }, form.consent.text);
      if (form.consent.url) {
        text.append(" ", make("a", { href: new URL(form.consent.url, url).href, target: "_blank", rel: "noopener" }, words.policy));
      }
      body.append(row(form.names.consent, input, make("label", { class: "box" }, input, text)));
    }

    const trap = make("input", { type: "text", name: form.names.honeypot, tabindex: "-1", autocomplete: "off" });
    body.append(make("div", { class: "aside", "aria-hidden": "true" }, make("label", null, words.honeypot + " ", trap)));
    const button = make("button", { type: "submit", dir: "auto" }, form.submit || words.submit);
    body.append(button);
    main.append(alert, body);

    function show(errors, general) {
      for (const { input, wrap, error } of rows.values()) {
        wrap.classList.remove("wrong");
        input.removeAttribute("aria-invalid");
        input.removeAttribute("aria-describedby");
        error.hidden = true;
      }
      const stray = [];
      let first = null;
      for (const { field, message } of errors) {
        const found = rows.get(field);
        if (!found) {
          stray.push(message);
          continue;
        }
        found.wrap.classList.add("wrong");
        found.error.textContent = message;
        found.error.hidden = false;
        found.input.setAttribute("aria-invalid", "true");
        found.input.setAttribute("aria-describedby", found.error.id);
        first = first || found.input;
      }
      const lines = general ? [general, ...stray] : stray;
      alert.replaceChildren(...lines.map((line) => make("p", null, line)));
      alert.hidden = lines.length === 0;
      if (first) first.focus();
      else if (lines.length) alert.focus();
    }

    function touch(data) {
      const here = new URL(location.href);
      for (const [name, value] of here.searchParams) {
        if (/^utm_|^(?:gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|ymclid|ttclid|li_fat_id)$/.test(name) && !data.has(name)) data.append(name, value);
      }
      if (document.referrer && !data.has("referrer")) data.append("referrer", document.referrer);
      if (!data.has("landing_page")) data.append("landing_page", here.href);
      data.append("page_title", document.title);
    }

    body.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      const missing = [...rows].filter(([, { input }]) => !input.checkValidity());
      if (missing.length) {
        show(missing.map(([field, { input }]) => ({ field, message: input.validationMessage })));
        return;
      }
      show([]);
      const data = new FormData(body);
      data.append(form.names.page_id, page);
      data.append(form.names.open_for, String(Math.round(performance.now() - opened)));
      touch(data);
      button.disabled = true;
      button.textContent = words.sending;
      try {
        const response = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" }, credentials: "omit" });
        const answer = await response.json().catch(() => ({}));
        if (response.ok) {
          host.dispatchEvent(new CustomEvent("switchboard:submitted", { bubbles: true, detail: { submission_id: answer.submission_id } }));
          if (form.redirect) {
            location.assign(new URL(form.redirect, url).href);
            return;
          }
          const thanks = make("p", { class: "message", role: "status", tabindex: "-1", dir: "auto" }, form.message || words.thanks);
          main.replaceChildren(main.firstChild, thanks);
          thanks.focus();
          return;
        }
        const errors = Array.isArray(answer.errors) ? answer.errors.filter((error) => error && typeof error.message === "string") : [];
        const general = response.status === 413 ? words.too_large : response.status === 503 ? words.paused : response.status === 403 ? words.forbidden : errors.length ? null : words.failed;
        show(errors, general);
      } catch {
        show([], words.failed);
      }
      button.disabled = false;
      button.textContent = form.submit || words.submit;
    });
  }

  function start() {
    const hosts = [...document.querySelectorAll("[data-switchboard-form]")].filter((host) => {
      const key = host.getAttribute("data-switchboard-form");
      return !key || key === form.key;
    });
    if (hosts.length) hosts.forEach(mount);
    else if (script && script.parentNode && script.parentNode !== document.head) {
      const host = document.createElement("div");
      script.after(host);
      mount(host);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(/* definition */ null);
