/**
 * Colours that come from a channel's settings are never trusted to be readable: what lies on
 * them and next to them is computed by the contrast formula of WCAG 2.2 (1.4.3, 1.4.11).
 */

/** Accent of the product, used when a channel has none or an unreadable one. */
export const ACCENT = '#2B50CC';

type Rgb = [number, number, number];

/** `#rgb` or `#rrggbb` as three numbers 0 to 255; anything else is null. */
export function parse(color: string | null | undefined): Rgb | null {
  const hex = /^#?([\da-f]{3}|[\da-f]{6})$/i.exec((color ?? '').trim())?.[1];
  if (!hex) return null;
  const full = hex.length === 3 ? hex.replace(/./g, '$&$&') : hex;
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16)) as Rgb;
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((v) => {
    const c = v / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio of two colours, 1 to 21; 1 when one of them cannot be read. */
export function contrast(one: string, other: string): number {
  const a = parse(one);
  const b = parse(other);
  if (!a || !b) return 1;
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Black or white, whichever reads better on `accent`; one of them always reaches 4.5. */
export function textOn(accent: string): string {
  return contrast(accent, '#ffffff') >= contrast(accent, '#0b0d12') ? '#ffffff' : '#0b0d12';
}

/** `accent` moved towards white or black until it reaches `ratio` on `surface`. */
export function readable(accent: string, surface: string, ratio: number): string {
  const from = parse(accent) ?? (parse(ACCENT) as Rgb);
  const end = textOn(surface) === '#ffffff' ? 255 : 0;
  for (let step = 0; step <= 20; step++) {
    const mixed = from.map((v) => Math.round(v + ((end - v) * step) / 20));
    const hex = '#' + mixed.map((v) => v.toString(16).padStart(2, '0')).join('');
    if (contrast(hex, surface) >= ratio) return hex;
  }
  return end ? '#ffffff' : '#000000';
}
