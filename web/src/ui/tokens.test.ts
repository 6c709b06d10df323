import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map((m) => [m[1], [m[2], m[3]]]),
);

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [hi = 0, lo = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (hi + 0.05) / (lo + 0.05);
}

const surfaces = ['canvas', 'surface', 'raised', 'hover', 'selected'];
const pairs: [string, string, number][] = [
  ...surfaces.flatMap((s): [string, string, number][] => [
    ['text', s, 7],
    ['text-2', s, 4.5],
    ['muted', s, 4.5],
    ['accent', s, 4.5],
  ]),
  ['muted', 'sunk', 4.5],
  ['muted', 'own', 4.5],
  ['text-2', 'note', 4.5],
  ['warn', 'note', 4.5],
  ['muted', 'note', 4.5],
  ['muted', 'inbound', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['ok', 'ok-bg', 4.5],
  ['warn', 'warn-bg', 4.5],
  ['danger', 'danger-bg', 4.5],
  ['ok', 'surface', 4.5],
  ['warn', 'surface', 4.5],
  ['danger', 'surface', 4.5],
  ['edge', 'surface', 3],
  ['edge', 'canvas', 3],
  ['accent', 'own', 4.5],
  ...[0, 1, 2, 3, 4, 5].map((i): [string, string, number] => [`avatar-${i}`, `avatar-${i}-bg`, 4.5]),
];

describe('colours', () => {
  it.each(pairs)('%s on %s is readable in both themes', (front, back, ratio) => {
    for (const theme of [0, 1]) {
      const a = tokens.get(front)?.[theme];
      const b = tokens.get(back)?.[theme];
      expect(a && b).toBeTruthy();
      expect(contrast(a ?? '', b ?? '')).toBeGreaterThanOrEqual(ratio);
    }
  });
});
