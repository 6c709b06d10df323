/**
 * The widget's first file, `v1.js`: a launcher, the `Switchboard(…)` function and nothing else.
 *
 * It makes no request. The panel comes when the visitor shows an intent (points at the launcher,
 * focuses it, opens it), or at once when this browser already has a conversation, so that new answers
 * show. Loading it twice is harmless.
 *
 * ```html
 * <script src="https://HOST/widget/v1.js" data-channel="KEY" async></script>
 * ```
 * Further attributes: data-locale, data-theme (light, dark, auto), data-accent (#rrggbb), data-title,
 * data-label (of the launcher), data-side (start, end), data-attribution (off). `Switchboard("boot", {…})`
 * takes the same names without `data-`.
 */
import { recall, record } from './attribution';
import type { Attribution, Host, Panel } from './types';

/** Address of the panel, relative to the server, with the hash of its content. Set by the build. */
declare const PANEL: string;

type Call = [command: string, first?: unknown, second?: unknown];
interface Entry {
  (...call: Call): void;
  q?: Call[];
  ready?: boolean;
}

const STYLE = `:host{all:initial!important}.w{all:initial}
.l{all:unset;position:fixed;inset-inline-end:20px;bottom:calc(20px + var(--switchboard-bottom,0px));z-index:2147483000;width:56px;height:56px;border-radius:50%;display:grid;place-items:center;cursor:pointer;background:var(--accent);color:var(--on);box-shadow:0 4px 16px #0004}
.l[hidden]{display:none}.l:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
.w[data-side=start] .l{inset-inline:20px auto}
svg{width:28px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}`;

/** The launcher's name until the panel brings its texts; `data-label` overrides it. */
const LABEL = 'Chat';

/** Custom properties for an accent: what lies on it is black or white, by an approximate luminance; the panel computes exactly. */
function paint(accent: string): string {
  const fits = /^#[\da-f]{6}$/i.test(accent) ? accent : '#2b50cc';
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(fits.slice(at, at + 2), 16) / 255) ** 2.2) as [
    number,
    number,
    number,
  ];
  return `--accent:${fits};--on:${0.21 * r + 0.72 * g + 0.07 * b > 0.18 ? '#0b0d12' : '#fff'}`;
}

(() => {
  const scope = window as unknown as { Switchboard?: Entry };
  const stub = scope.Switchboard;
  if (stub?.ready) return;

  const script = (document.currentScript ??
    document.querySelector("script[src*='/widget/v1.js']")) as HTMLScriptElement;
  const origin = new URL(script.src).origin;
  const listeners: [string, (data?: unknown) => void][] = [];
  const early: (keyof Panel)[] = [];
  let from: Attribution | undefined;
  let host: Host | undefined;
  let panel: Panel | undefined;
  let loading: Promise<void> | undefined;
  let failures = 0;

  const emit: Host['emit'] = (event, data) => {
    // in a turn of its own: a listener of the site that throws must not stop the chat
    for (const [name, listener] of listeners) if (name === event) queueMicrotask(() => listener(data));
  };

  const load = () =>
    (loading ??= (
      import(/* @vite-ignore */ origin + PANEL + (failures ? '&again=' + failures : '')) as Promise<{
        start(host: Host): Promise<Panel>;
      }>
    )
      .then((module) => module.start(host as Host))
      .then((started) => {
        panel = started;
        for (const command of early.splice(0)) panel[command]();
      })
      .catch((error: unknown) => {
        failures++;
        loading = undefined;
        emit('error', error);
      }));

  /** Runs a command of the panel, loading it first when it opens something. */
  const command = (name: keyof Panel) => {
    if (panel) panel[name]();
    else {
      if (name === 'shutdown') localStorage.removeItem('switchboard:' + host?.key);
      else early.push(name);
      if (host && (name === 'open' || name === 'toggle')) void load();
    }
  };

  const boot = (given: Record<string, string | undefined>) => {
    const key = given.channel;
    if (host || !key) return;
    if (given.attribution !== 'off') from = record(location.href, document.referrer, Date.now());
    const kept = recall<{ accent?: string }>('switchboard:' + key);
    const element = document.createElement('switchboard-chat');
    const shadow = element.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];

    const root = document.createElement('section');
    root.className = 'w';
    root.dataset.side = given.side ?? 'end';
    const launcher = document.createElement('button');
    launcher.className = 'l';
    launcher.type = 'button';
    const label = given.label ?? LABEL;
    root.setAttribute('aria-label', label);
    launcher.setAttribute('aria-label', label);
    launcher.setAttribute('aria-expanded', 'false');
    const accent = given.accent ?? kept?.accent ?? '';
    root.style.cssText = paint(accent);
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z');
    svg.append(path);
    launcher.append(svg);
    launcher.onpointerenter = launcher.onfocus = () => void load();
    launcher.onclick = () => command('toggle');
    root.append(launcher);
    shadow.append(root);
    host = { key, origin, root, shadow, launcher, options: given, events: [], attribution: () => from, emit };
    // outside the body: pages that replace their body keep the chat
    document.documentElement.append(element);
    if (kept || early.some((name) => name === 'open' || name === 'toggle')) void load();
    emit('ready');
  };

  const entry: Entry = (name, first, second) => {
    if (name === 'boot') {
      boot({ ...script.dataset, ...(first as object) });
      replay(waiting);
    } else if (name === 'on') listeners.push([first as string, second as () => void]);
    else if (!host) waiting.push([name, first, second]);
    else if (name === 'identify') {
      host.identity = first as Host['identity'];
      panel?.identify();
    } else if (name === 'event') {
      host.events.push({ name: first as string, data: second, at: new Date().toISOString() });
      host.events.splice(0, host.events.length - 20);
    } else if (name === 'hide' || name === 'show') host.launcher.hidden = name === 'hide';
    else if (['open', 'close', 'toggle', 'shutdown'].includes(name)) command(name as keyof Panel);
  };
  const waiting: Call[] = [];
  entry.ready = true;
  scope.Switchboard = entry;
  const replay = (calls: Call[]) => calls.splice(0).forEach((call) => entry(...call));
  const begin = () => {
    // what needs the launcher waits until it is there; listeners are heard at once
    replay(Array.from(stub?.q ?? [], (call) => Array.from(call) as Call));
    boot({ ...script.dataset });
    replay(waiting);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
})();
