/**
 * The widget's first file, `v1.js`: a launcher, the `Switchboard(…)` function and nothing else.
 *
 * It makes one small request that browsers keep, a second after it is there: whether the channel invites visitors
 * (`data-invitations="off"` stops it). The panel comes when the visitor shows an intent (points at the launcher,
 * focuses it, opens it), or at once when this browser already has a conversation, so that new answers
 * show. Loading it twice is harmless.
 *
 * ```html
 * <script src="https://HOST/widget/v1.js" data-channel="KEY" async></script>
 * ```
 * Further attributes: data-locale, data-theme (light, dark, auto), data-accent (#rrggbb), data-title,
 * data-label (of the launcher), data-side (start, end), data-attribution (off), data-invitations (off). `Switchboard("boot", {…})`
 * takes the same names without `data-`.
 */
import { recall, record } from './attribution';
import type { Attribution, Host, Invitation, Panel } from './types';

/** Address of the panel, relative to the server, with the hash of its content. Set by the build. */
declare const PANEL: string;
/** The same of what shows invitations. */
declare const INVITE: string;

type Call = [command: string, first?: unknown, second?: unknown];
interface Entry {
  (...call: Call): void;
  q?: Call[];
  ready?: boolean;
}

const STYLE = `:host{all:initial!important}.w{all:initial}.l{all:unset;position:fixed;inset-inline-end:20px;bottom:calc(20px + var(--switchboard-bottom,0px));z-index:2147483000;width:56px;height:56px;border-radius:50%;display:grid;place-items:center;cursor:pointer;background:var(--accent);color:var(--on);box-shadow:0 4px 16px #0004}.l[hidden]{display:none}.l:focus-visible{outline:3px solid var(--accent);outline-offset:3px}.w[data-side=start] .l{inset-inline:20px auto}svg{width:28px;fill:none;stroke:currentColor;stroke-width:1.8}`;

/** Calls kept for a panel that nobody opens. */
const MOST = 50;

/** The launcher's name until the panel brings its texts; `data-label` overrides it. */
const LABEL = 'Chat';

/** Custom properties for an accent: what lies on it is black or white, by an approximate luminance; the panel computes exactly. */
function paint(accent: string): string {
  const fits = /^#[\da-f]{6}$/i.test(accent) ? accent : '#2b50cc';
  const n = parseInt(fits.slice(1), 16);
  return `--accent:${fits};--on:#${(n >> 16) * 3 + ((n >> 8) & 255) * 6 + (n & 255) > 1200 ? '000' : 'fff'}`;
}

(() => {
  const scope = window as unknown as { Switchboard?: Entry };
  const stub = scope.Switchboard;
  if (stub?.ready) return;

  const script = document.currentScript as HTMLScriptElement;
  const origin = new URL(script.src).origin;
  const listeners: [string, (data?: unknown) => void][] = [];
  const early: [keyof Panel, unknown[]][] = [];
  // a command that no panel knows is nothing
  const call = (to: Panel, name: keyof Panel, given: unknown[]) => to[name]?.(...(given as []));
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
        for (const [name, given] of early.splice(0)) call(started, name, given);
      })
      .catch((error: unknown) => {
        failures++;
        loading = undefined;
        emit('error', error);
      }));

  /** Runs a command of the panel, loading it first when it opens something. */
  const command = (name: keyof Panel, ...given: unknown[]) => {
    if (panel) call(panel, name, given);
    else if (name === 'shutdown') localStorage.removeItem('switchboard:' + host?.key);
    else {
      if (early.length < MOST) early.push([name, given]);
      // only "open" and "toggle" bring the panel; others wait for it
      if (/^[ot]/.test(name)) void load();
    }
  };

  const boot = (said?: unknown) => {
    const given: Record<string, string | undefined> = { ...script.dataset, ...(said as object) };
    const key = given.channel;
    if (host || !key) return;
    if (given.attribution !== 'off') from = record(location.href, document.referrer, Date.now());
    const kept = recall<{ accent?: string }>('switchboard:' + key);
    const make = <K extends keyof HTMLElementTagNameMap>(name: K) => document.createElement(name);
    const element = make('switchboard-chat' as 'div');
    const shadow = element.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];

    const root = make('section');
    root.className = 'w';
    root.dataset.side = given.side;
    const launcher = make('button');
    launcher.className = 'l';
    launcher.type = 'button';
    for (const part of [root, launcher]) part.setAttribute('aria-label', given.label ?? LABEL);
    launcher.setAttribute('aria-expanded', 'false');
    root.style.cssText = paint(given.accent ?? kept?.accent ?? '');
    const drawn = (name: string, attribute: string, value: string) => {
      const element = document.createElementNS('http://www.w3.org/2000/svg', name);
      element.setAttribute(attribute, value);
      return element;
    };
    const svg = drawn('svg', 'viewBox', '0 0 24 24');
    svg.append(drawn('path', 'd', 'M4 5h16v12h-8l-5 4v-4H4z'));
    launcher.append(svg);
    launcher.onpointerenter = launcher.onfocus = () => void load();
    launcher.onclick = () => command('toggle');
    root.append(launcher);
    shadow.append(root);
    host = { key, origin, root, shadow, launcher, options: given, attribution: () => from, emit };
    // outside the body: pages that replace their body keep the chat
    document.documentElement.append(element);
    if (kept) void load();
    if (given.invitations !== 'off')
      setTimeout(
        () =>
          fetch(`${origin}/widget/v1/${key}/invitations`)
            .then((response) => response.json())
            .then(
              async ({ items }: { items: Invitation[] }) =>
                items[0] &&
                ((await import(/* @vite-ignore */ origin + INVITE)) as typeof import('./invite')).watch(
                  host as Host,
                  items,
                  () => command('open'),
                ),
            )
            .catch(() => 0),
        1e3,
      );
    emit('ready');
  };

  const entry: Entry = (name, first, second) => {
    if (name === 'boot') {
      boot(first);
      replay(waiting);
    } else if (name === 'on') listeners.push([first as string, second as () => void]);
    else if (!host) waiting.push([name, first, second]);
    else if (name === 'hide' || name === 'show') host.launcher.hidden = name === 'hide';
    else {
      if (name === 'identify') host.identity = first as Host['identity'];
      command(name as keyof Panel, first, second);
    }
  };
  const waiting: Call[] = [];
  entry.ready = true;
  scope.Switchboard = entry;
  const replay = (calls: Call[]) => calls.splice(0).map((call) => entry(...call));
  const begin = () => {
    // what needs the launcher waits until it is there; listeners are heard at once
    replay((stub?.q ?? []).map((call) => [...call] as Call));
    boot();
    replay(waiting);
  };
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', begin);
  else begin();
})();
