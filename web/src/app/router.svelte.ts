/** The address bar as state. Paths only; each screen reads the parts it needs. */
let path = $state(location.pathname);
let query = $state(location.search);

addEventListener('popstate', () => {
  path = location.pathname;
  query = location.search;
});

export function currentPath(): string {
  return path;
}

/** `/inbox/mine/cnv_1` -> `['inbox', 'mine', 'cnv_1']` */
export function segments(): string[] {
  return path.split('/').filter(Boolean).map(decodeURIComponent);
}

export function param(name: string): string {
  return new URLSearchParams(query).get(name) ?? '';
}

export function go(to: string, options: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  if (options.replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  path = location.pathname;
  query = location.search;
}

/** Lets plain links inside the app work without a page load; everything else is left to the browser. */
export function interceptLinks(node: HTMLElement): { destroy(): void } {
  const onclick = (event: MouseEvent) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const a = (event.target as Element | null)?.closest?.('a');
    if (!a || !node.contains(a) || a.target || a.hasAttribute('download') || a.dataset.external !== undefined) return;
    const url = new URL(a.href, location.href);
    if (url.origin !== location.origin || /^\/(api|f|demo|widget|health)\//.test(url.pathname)) return;
    event.preventDefault();
    go(url.pathname + url.search);
  };
  node.addEventListener('click', onclick);
  return { destroy: () => node.removeEventListener('click', onclick) };
}
