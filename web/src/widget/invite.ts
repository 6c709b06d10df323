/** `invite.js`: invitations to the chat, for channels that have some. The loader brings it with the channel's rules. */
import { h, icon } from './dom';
import { choose as speak } from './strings';
import type { Host, Invitation } from './types';

/** The one word of ours: the invitation itself is in the words of the site. */
const CLOSE: Record<string, string> = {
  en: 'Close',
  de: 'Schließen',
  es: 'Cerrar',
  fa: 'بستن',
  ru: 'Закрыть',
  uz: 'Yopish',
};

/** The address of a page without a load is looked at so often, milliseconds. */
const LOOK_MS = 1_000;
/** Who shut one is left alone for so long, milliseconds. */
const REST_MS = 86_400_000;
/** A first visit that began longer ago was another visit, milliseconds. */
const VISIT_MS = 1_800_000;

/** What is known of the visitor and the page. */
export interface Situation {
  url: string;
  /** seconds on this page, in sight */
  secs: number;
  returning: boolean;
}

/** The first invitation that fits. */
export function choose(rules: Invitation[], now: Situation): Invitation | undefined {
  return rules.find(
    (rule) =>
      !!rule.text &&
      now.secs >= (rule.after_secs ?? 0) &&
      (!rule.url || fits(rule.url, now.url)) &&
      (rule.visitors !== 'new' || !now.returning) &&
      (rule.visitors !== 'returning' || now.returning),
  );
}

/** Whether an address has this part in it; `*` stands for anything. */
export function fits(part: string, url: string): boolean {
  const pieces = part.split('*');
  let at = 0;
  for (const piece of pieces) {
    const found = url.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}

/** Watches until one fits, shows it once, and lets go. */
export function watch(host: Host, rules: Invitation[], open: () => void): void {
  const name = `switchboard:${host.key}:invited`;
  const kept = (key: string) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  if (Date.now() - Number(kept(name)) < REST_MS) return;
  const first = Date.parse(host.attribution()?.first.at ?? '');
  const returning = Date.now() - first > VISIT_MS || !!kept('switchboard:' + host.key);
  let page = location.href;
  let secs = 0;
  const timer = setInterval(() => {
    if (host.root.dataset.open !== undefined) return clearInterval(timer);
    if (document.hidden || host.launcher.hidden) return;
    if (page !== location.href) [page, secs] = [location.href, 0];
    secs += LOOK_MS / 1000;
    const found = choose(rules, { url: page, secs, returning });
    if (!found) return;
    clearInterval(timer);
    show(host, found.text, open, () => {
      try {
        localStorage.setItem(name, String(Date.now()));
      } catch {
        // then it comes again on the next page
      }
    });
  }, LOOK_MS);
}

function show(host: Host, text: string, open: () => void, remember: () => void): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  host.shadow.adoptedStyleSheets = [...host.shadow.adoptedStyleSheets, sheet];
  const shut = () => {
    remember();
    seen.disconnect();
    card.remove();
  };
  const words = h(
    'button',
    {
      class: 'iv-text',
      type: 'button',
      dir: 'auto',
      onclick: () => {
        host.invited = text;
        host.emit('invitation', text);
        shut();
        open();
      },
    },
    text,
  );
  const label = CLOSE[speak([host.options.locale, navigator.language]).code];
  const close = h('button', { class: 'iv-close', type: 'button', 'aria-label': label, onclick: shut }, icon('close'));
  const card = h('div', { class: 'iv', role: 'status' }, words, close);
  // whoever opens the chat by the launcher has taken it too
  const seen = new MutationObserver(() => {
    if (host.root.dataset.open === undefined) return;
    host.invited = text;
    shut();
  });
  seen.observe(host.root, { attributes: true, attributeFilter: ['data-open'] });
  host.root.append(card);
  host.emit('invited', text);
}

const CSS = `
.iv{all:unset;position:fixed;inset-inline-end:20px;bottom:calc(88px + var(--switchboard-bottom,0px));z-index:2147483000;display:flex;align-items:flex-start;max-width:min(300px,calc(100vw - 40px));box-sizing:border-box;background:#fff;color:#15181e;border:1px solid #dce0e6;border-radius:16px;box-shadow:0 8px 28px #0003;font:400 15px/22px system-ui,"Segoe UI",Roboto,"Noto Sans",Vazirmatn,sans-serif;animation:iv .25s ease-out}
.w[data-side=start] .iv{inset-inline:20px auto}
.iv button{all:unset;cursor:pointer;box-sizing:border-box;border-radius:12px}
.iv .iv-text{padding:12px 16px;overflow-wrap:anywhere;white-space:pre-wrap}
.iv .iv-close{width:36px;height:36px;flex:none;display:grid;place-items:center;margin:4px}
.iv .iv-close svg{width:16px}
.iv button:focus-visible{outline:2px solid;outline-offset:-3px}
@keyframes iv{from{opacity:0;transform:translateY(8px)}}
@media (prefers-color-scheme:dark){.w:not([data-theme=light]) .iv{background:#16191f;color:#e8eaee;border-color:#2b313b}}
.w[data-theme=dark] .iv{background:#16191f;color:#e8eaee;border-color:#2b313b}
@media (prefers-reduced-motion:reduce){.iv{animation:none}}
`;
