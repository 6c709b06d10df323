import type { Template } from '../api/types';
import { fold } from './text';

/** What is being looked for by a stroke before the caret: at the beginning, or after a space. */
export function slash(text: string, caret: number): { from: number; query: string } | null {
  const match = /(?:^|\s)\/([\p{L}\p{M}\p{N}_-]{0,32})$/u.exec(text.slice(Math.max(0, caret - 40), caret));
  if (!match) return null;
  const query = match[1] ?? '';
  return { from: caret - query.length - 1, query };
}

/** Templates for a word: those called so by their shortcut first, then by name, then by what they say. */
export function matching(items: readonly Template[], lineId: string, query: string): Template[] {
  const word = fold(query);
  const rank = (x: Template): number => {
    const [shortcut, name] = [fold(x.shortcut ?? ''), fold(x.name)];
    if (!word) return 2;
    if (shortcut === word) return 0;
    if (shortcut.startsWith(word)) return 1;
    if (name.startsWith(word)) return 2;
    if (name.includes(word)) return 3;
    return fold(x.body).includes(word) ? 4 : 9;
  };
  return items
    .filter((x) => x.scope !== 'line' || x.line_id === lineId)
    .map((x) => ({ x, rank: rank(x) }))
    .filter((r) => r.rank < 9)
    .sort((a, b) => a.rank - b.rank || a.x.name.localeCompare(b.x.name))
    .map((r) => r.x);
}
