/** Builds elements without markup strings: nothing that comes from outside is ever parsed as HTML. */

type Props = Record<string, string | number | boolean | EventListener | undefined>;

/**
 * An element with attributes and children. `onclick`-like names take listeners; `true` sets an empty
 * attribute, `false` and `undefined` set none. Strings among the children become text.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Outlines of the icons, drawn on a square of 24. */
const PATHS = {
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M12 19V5M5.5 11.5L12 5l6.5 6.5',
  clip: 'M20 11.5l-8.2 8.2a5.2 5.2 0 0 1-7.4-7.4l8.3-8.2a3.5 3.5 0 0 1 5 4.9l-8.3 8.3a1.8 1.8 0 0 1-2.5-2.5l7.7-7.6',
  file: 'M13.5 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8.5zM13.5 3v5.5H19',
  down: 'M12 5v14M5.5 12.5L12 19l6.5-6.5',
  face: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5v.5M15 9.5v.5',
  menu: 'M12 4.5v1M12 11.5v1M12 18.5v1',
};

/** A decorative icon; its button carries the name. */
export function icon(name: keyof typeof PATHS): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** A size in bytes for people, in the language of `tag`. */
export function size(bytes: number, tag: string): string {
  const step = bytes < 1_000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  const unit = ['byte', 'kilobyte', 'megabyte'][step];
  return new Intl.NumberFormat(tag, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: step && 1,
  }).format(bytes / 1000 ** step);
}
