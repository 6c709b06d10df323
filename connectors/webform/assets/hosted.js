// The hosted page, helped along.
const form = document.querySelector("form[method=post]");
const watch = form && track(form, form.getAttribute("action"));
// Without steps and conditions the browser does all there is to do.
if (form && !form.dataset.walk) form.addEventListener("submit", () => watch.sent());
if (form && form.dataset.walk) {
  form.noValidate = true;
  const words = JSON.parse(form.dataset.walk);
  const rule = (input) => {
    const row = input.closest("[data-error]");
    input.setCustomValidity("");
    if (!input.checkValidity()) input.setCustomValidity((row && row.dataset.error) || fault(input, words.problems));
  };
  form.addEventListener("input", (event) => event.target.setCustomValidity && event.target.setCustomValidity(""));
  const complain = (wrong) => {
    if (!wrong.length) return;
    rule(wrong[0]);
    wrong[0].reportValidity();
  };
  const steps = walk(form, words, complain);
  form.addEventListener("submit", (event) => {
    const last = steps.done();
    const wrong = last ? steps.wrong() : [];
    if (last && !wrong.length) {
      watch.sent();
      return;
    }
    event.preventDefault();
    if (wrong.length) {
      steps.reveal(wrong[0]);
      complain(wrong);
    }
  });
  // What the server found wrong is shown where it is.
  const bad = form.querySelector("[aria-invalid=true]");
  if (bad) steps.reveal(bad);
  for (const link of document.querySelectorAll(".errors a[href^='#']")) {
    link.addEventListener("click", () => {
      const target = document.getElementById(link.getAttribute("href").slice(1));
      if (target) steps.reveal(target);
    });
  }
}
