// Hides what is not asked, and goes step by step. A form is told by its markup: [data-name] is a field's row,
// data-when its condition, data-required what is required while it is shown, [data-step] a step.
// `complain` hears the inputs that are not right yet. Without this script everything is there at once.

/** What is wrong with an input, in the language of the form rather than of the browser. */
function fault(input, problems) {
  const { valueMissing, typeMismatch, badInput } = input.validity;
  const known = valueMissing
    ? input.type === "checkbox" ? problems.ticked : input.type === "file" ? problems.file : problems.required
    : typeMismatch && input.type === "email" ? problems.email
    : badInput ? problems[input.type] : "";
  return known || input.validationMessage;
}

function walk(form, words, complain) {
  const rows = [...form.querySelectorAll("[data-name]")];
  const inputsOf = (node) => [...node.querySelectorAll("input,select,textarea")].filter((input) => !input.closest(".aside"));

  function value(name) {
    const row = rows.find((row) => row.dataset.name === name);
    const input = row && !row.hidden && inputsOf(row)[0];
    if (!input) return "";
    return input.type === "checkbox" ? (input.checked ? "true" : "") : input.value.trim();
  }

  /** In order: a field that is not asked has no value for those after it. */
  function look() {
    for (const row of rows) {
      if (!row.dataset.when) continue;
      const when = JSON.parse(row.dataset.when);
      const given = value(when.field);
      const meets = when.is.length ? when.is.includes(given) : given !== "";
      const shown = meets !== when.not;
      row.hidden = !shown;
      for (const input of inputsOf(row)) {
        input.disabled = !shown;
        input.required = shown && row.dataset.required === "true";
      }
    }
  }

  const steps = [...form.querySelectorAll("[data-step]")];
  const last = form.querySelector("[data-last]");
  const submit = form.querySelector("button[type=submit]");
  let at = steps.length ? 0 : -1;
  const asksSomething = (step) => step === steps[steps.length - 1] || [...step.querySelectorAll("[data-name]")].some((row) => !row.hidden);
  const wrongIn = (node) => inputsOf(node).filter((input) => !input.disabled && !input.checkValidity());

  let nav, back, next, place;
  function show(to, moveFocus) {
    at = to;
    steps.forEach((step, i) => (step.hidden = i !== at));
    if (last) last.hidden = at !== steps.length - 1;
    submit.hidden = at !== steps.length - 1;
    back.hidden = at === 0;
    next.hidden = at === steps.length - 1;
    place.textContent = words.step.replace("{at}", at + 1).replace("{of}", steps.length);
    if (moveFocus) {
      const input = inputsOf(steps[at]).find((input) => !input.disabled && input.type !== "hidden");
      (input || next).focus();
    }
  }
  function go(by) {
    if (by > 0) {
      const wrong = wrongIn(steps[at]);
      complain(wrong);
      if (wrong.length) return;
    }
    let to = at + by;
    while (to > 0 && to < steps.length - 1 && !asksSomething(steps[to])) to += by;
    show(Math.min(Math.max(to, 0), steps.length - 1), true);
  }

  form.addEventListener("input", look);
  form.addEventListener("change", look);
  look();
  if (steps.length) {
    const button = (text, by) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = by < 0 ? "plain" : "";
      made.textContent = text;
      made.addEventListener("click", () => go(by));
      return made;
    };
    nav = document.createElement("div");
    nav.className = "walk";
    back = button(words.back, -1);
    next = button(words.next, 1);
    place = document.createElement("p");
    place.className = "place";
    place.setAttribute("role", "status");
    form.prepend(place);
    // Sending stands where going on stood.
    nav.append(back, next, submit);
    form.append(nav);
    show(0, false);
  }
  return {
    /** Whether everything is asked; else it goes on to what is not. */
    done() {
      if (at < 0 || at === steps.length - 1) return true;
      go(1);
      return false;
    },
    wrong: () => wrongIn(form),
    /** Shows the step of an input. */
    reveal(input) {
      const to = steps.indexOf(input.closest("[data-step]"));
      if (to >= 0 && to !== at) show(to, false);
    },
  };
}
