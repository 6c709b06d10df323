// Tells the server how far visitors come with a form, and nothing of who they are or what they write: that it was
// seen, that somebody began, and at which field they were when they left. What was sent the server sees by itself.

function track(form, url) {
  let begun = false, sent = false, at = "";
  const tell = (what, field) => {
    try {
      navigator.sendBeacon(url + "/use", JSON.stringify(field ? { what, field } : { what }));
    } catch {
      // a statistic is worth no complaint
    }
  };
  const name = (event) => {
    const row = event.target.closest && event.target.closest("[data-name]");
    // The hosted page names its inputs alone; what begins so is ours and no field.
    const own = event.target.name || "";
    return row ? row.dataset.name : own.startsWith("sb_") ? "" : own;
  };
  const seen = () => tell("view");
  if ("IntersectionObserver" in window) {
    const eye = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      eye.disconnect();
      seen();
    });
    eye.observe(form);
  } else seen();
  form.addEventListener("focusin", (event) => begun && (at = name(event) || at));
  form.addEventListener("input", (event) => {
    at = name(event) || at;
    if (begun || !at) return;
    begun = true;
    tell("start");
  });
  // Who comes back to the page goes on; each leaving for good is told once.
  addEventListener("pagehide", (event) => {
    if (!begun || sent || event.persisted) return;
    sent = true;
    tell("left", at);
  });
  return { sent: () => (sent = true) };
}
