// Where the visitor came from, the first time and the last: read from the address and the referrer of the page
// alone, kept in the storage of the site itself, without a cookie, and sent nowhere before a form is.
const CAME_FROM = "switchboard:from";
const FIRST_KEPT_MS = 90 * 24 * 3600 * 1000;
const MARK = /^(?:utm_[a-z_]{1,40}|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|ymclid|ttclid|li_fat_id|twclid|rdt_cid|epik|sccid)$/;

function remember() {
  const here = new URL(location.href);
  const touch = {};
  let arrived = false;
  for (const [name, value] of here.searchParams) {
    if (value && MARK.test(name)) {
      touch[name] = value.slice(0, 500);
      arrived = true;
    }
  }
  try {
    if (new URL(document.referrer).host !== here.host) {
      touch.referrer = document.referrer.slice(0, 500);
      arrived = true;
    }
  } catch {
    // nobody referred
  }
  touch.landing_page = (here.origin + here.pathname + here.search).slice(0, 500);
  touch.at = new Date().toISOString();
  let known = null;
  try {
    known = JSON.parse(localStorage.getItem(CAME_FROM) || "null");
  } catch {
    // no storage, or nonsense in it: this page is all that is known
  }
  const fresh = known && known.first && Date.now() - Date.parse(known.first.at || "") < FIRST_KEPT_MS;
  const came = fresh ? { first: known.first, last: arrived || !known.last ? touch : known.last } : { first: touch, last: touch };
  try {
    localStorage.setItem(CAME_FROM, JSON.stringify(came));
  } catch {
    // remembered for this page only
  }
  return came;
}
