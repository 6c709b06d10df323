// Draws a form out of its definition, into a shadow root, and sends it.
const opened = performance.now();

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined && value !== "") node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function identifier() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The language of the form that the page, then the visitor, wants most; the form's own else. */
function languageOf(host, form) {
  const closest = host.closest("[lang]");
  const wanted = [host.lang, closest && closest.lang, ...(navigator.languages || [navigator.language])];
  const known = Object.keys(form.texts);
  const primary = (tag) => tag.split("-")[0].toLowerCase();
  for (const tag of wanted.map((tag) => String(tag || "")).filter(Boolean)) {
    const found = known.find((one) => one.toLowerCase() === tag.toLowerCase()) || known.find((one) => primary(one) === primary(tag));
    if (found) return found;
  }
  return form.language;
}

function mount(host, form, url, options) {
  if (host.shadowRoot || host.dataset.switchboardReady) return;
  host.dataset.switchboardReady = "true";
  const language = languageOf(host, form);
  host.dataset.switchboardLanguage = language;
  const texts = form.texts[language];
  const root = host.attachShadow({ mode: "open" });
  // The host element itself is the site's: what its style says there would be inherited.
  const style = form.style + "\n.shell{all:initial;display:block;font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}";
  try {
    const sheet = new CSSStyleSheet(); // allowed by any style-src
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(make("style", null, style));
  }
  const shell = make("div", { class: "shell" });
  const main = make("section", { class: "embedded", lang: language, dir: texts.direction, "aria-label": texts.title });
  shell.append(main);
  root.append(shell);
  main.append(make("h2", { dir: "auto" }, texts.title));
  if (form.paused) {
    main.append(make("p", { class: "message", role: "status" }, texts.words.paused));
    return;
  }
  draw(host, main, form, url, texts, language, options);
}

function draw(host, main, form, url, texts, language, options) {
  const words = texts.words;
  const page = identifier(); // the same for a repeated post: the server knows it again
  const rows = new Map();
  const body = make("form", { novalidate: true });
  const alert = make("div", { class: "errors", role: "alert", tabindex: "-1", hidden: true });
  const steps = [];
  if (form.steps > 1) {
    for (let number = 1; number <= form.steps; number++) {
      const title = texts.steps[number - 1];
      const step = make("fieldset", { "data-step": number }, title ? make("legend", { dir: "auto" }, title) : null);
      steps.push(step);
      body.append(step);
    }
  }

  function row(name, input, label, text, when, required) {
    const error = make("p", { class: "error", id: input.id + "-error", hidden: true });
    const help = text && text.help ? make("p", { class: "help", id: input.id + "-help", dir: "auto" }, text.help) : null;
    const wrap = make("div", { class: "field", "data-name": name }, ...(input.type === "checkbox" ? [label] : [label, input]), help, error);
    if (when) {
      wrap.dataset.when = JSON.stringify(when);
      wrap.dataset.required = String(required);
    }
    if (help) input.setAttribute("aria-describedby", help.id);
    rows.set(name, { input, wrap, error, help, own: text && text.error });
    return wrap;
  }

  form.fields.forEach((field, index) => {
    const place = steps[field.step - 1] || body;
    if (field.kind === "hidden") {
      body.append(make("input", { type: "hidden", name: field.name, value: field.value || "" }));
      return;
    }
    const text = texts.fields[index];
    const common = { id: "field-" + index, name: field.name, required: field.required && !field.when };
    let input;
    if (field.kind === "textarea") {
      input = make("textarea", { ...common, rows: 4, dir: "auto", maxlength: field.max, placeholder: text.placeholder });
      input.value = field.value || "";
    } else if (field.kind === "select") {
      input = make("select", common, make("option", { value: "" }, words.choose));
      input.firstChild.value = "";
      field.options.forEach((option, at) => input.append(make("option", { value: option, selected: option === field.value }, text.options[at] || option)));
    } else if (field.kind === "checkbox") {
      input = make("input", { ...common, type: "checkbox", value: "on", checked: ["on", "true", "1", "yes"].includes(field.value) });
      place.append(row(field.name, input, make("label", { class: "box" }, input, make("span", { dir: "auto" }, text.label)), text, field.when, field.required));
      return;
    } else {
      const typed = !["file", "number", "date"].includes(field.kind);
      input = make("input", {
        ...common, type: field.kind, value: field.file ? null : field.value, placeholder: text.placeholder, autocomplete: field.autocomplete,
        maxlength: typed ? field.max : null, step: field.kind === "number" ? "any" : null, multiple: field.file,
        dir: field.kind === "tel" ? "ltr" : typed ? "auto" : null,
      });
    }
    const optional = field.required ? null : make("span", { class: "optional" }, " (" + words.optional + ")");
    place.append(row(field.name, input, make("label", { for: input.id }, make("bdi", null, text.label), optional), text, field.when, field.required));
  });

  const last = make("div", { "data-last": true });
  if (form.consent) {
    const input = make("input", { type: "checkbox", id: "consent", name: form.names.consent, value: "on", required: form.consent.required });
    const text = make("span", { dir: "auto" }, texts.consent);
    if (form.consent.url) {
      text.append(" ", make("a", { href: new URL(form.consent.url, url).href, target: "_blank", rel: "noopener" }, words.policy));
    }
    last.append(row(form.names.consent, input, make("label", { class: "box" }, input, text)));
  }
  const token = form.captcha && !options.preview ? captcha(host, last, form.captcha) : () => "";

  const trap = make("input", { type: "text", name: form.names.honeypot, tabindex: "-1", autocomplete: "off" });
  last.append(make("div", { class: "aside", "aria-hidden": "true" }, make("label", null, words.honeypot + " ", trap)));
  const button = make("button", { type: "submit", dir: "auto" }, texts.submit);
  last.append(button);
  body.append(last);
  main.append(alert, body);

  const message = (input) => {
    const known = [...rows.values()].find((row) => row.input === input);
    return (known && known.own) || fault(input, texts.problems);
  };
  const complain = (wrong) => show(wrong.map((input) => ({ field: input.name, message: message(input) })));
  const watch = options.preview ? { sent() {} } : track(body, url);
  const path = walk(body, { next: words.next, back: words.previous, step: words.step }, complain);

  function show(errors, general) {
    for (const { input, wrap, error, help } of rows.values()) {
      wrap.classList.remove("wrong");
      input.removeAttribute("aria-invalid");
      if (help) input.setAttribute("aria-describedby", help.id);
      else input.removeAttribute("aria-describedby");
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
      found.input.setAttribute("aria-describedby", found.help ? found.error.id + " " + found.help.id : found.error.id);
      first = first || found.input;
    }
    const lines = general ? [general, ...stray] : stray;
    alert.replaceChildren(...lines.map((line) => make("p", null, line)));
    alert.hidden = lines.length === 0;
    if (first) {
      path.reveal(first);
      first.focus();
    } else if (lines.length) alert.focus();
  }

  function touch(data) {
    const script = document.querySelector('script[src*="/f/"][data-attribution="off"]');
    if (!script) data.append(form.names.attribution, JSON.stringify(remember()));
    data.append("page_url", location.href.slice(0, 2000));
    data.append("page_title", document.title);
  }

  body.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled || !path.done()) return;
    const wrong = path.wrong();
    if (wrong.length) {
      complain(wrong);
      return;
    }
    show([]);
    if (options.preview) return;
    const data = new FormData(body);
    data.append(form.names.page_id, page);
    data.append(form.names.open_for, String(Math.round(performance.now() - opened)));
    data.append(form.names.language, language);
    if (form.seal) data.append(form.names.seal, form.seal);
    const proof = token();
    if (proof) data.set(form.captcha.field, proof);
    touch(data);
    button.disabled = true;
    button.textContent = words.sending;
    try {
      const response = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" }, credentials: "omit" });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) {
        watch.sent();
        host.dispatchEvent(new CustomEvent("switchboard:submitted", { bubbles: true, detail: { submission_id: answer.submission_id } }));
        if (form.redirect) {
          location.assign(new URL(form.redirect, url).href);
          return;
        }
        const thanks = make("p", { class: "message", role: "status", tabindex: "-1", dir: "auto" }, texts.thanks);
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
    button.textContent = texts.submit;
  });
}

/** Draws the captcha of another service where its script can reach it: outside the shadow root, shown through a slot. */
function captcha(host, place, wanted) {
  const api = () => ({ turnstile: window.turnstile, hcaptcha: window.hcaptcha, recaptcha: window.grecaptcha })[wanted.provider];
  const box = make("div", { slot: "captcha" });
  host.append(box);
  place.append(make("slot", { name: "captcha" }));
  let widget;
  const ready = () => {
    const service = api();
    if (!service || !service.render || widget !== undefined) return;
    try {
      widget = service.render(box, { sitekey: wanted.key });
    } catch {
      // the service's matter: the form is sent without, and held
    }
  };
  if (api()) ready();
  else {
    const script = make("script", { src: wanted.script + "?render=explicit", async: true });
    script.addEventListener("load", () => (api() && api().ready ? api().ready(ready) : ready()));
    document.head.append(script);
  }
  return () => {
    try {
      return widget === undefined ? "" : api().getResponse(widget);
    } catch {
      return "";
    }
  };
}
