const combining = /\p{M}/gu;
const same: Record<string, string> = { ي: 'ی', ك: 'ک', ё: 'е', ʻ: "'", ʼ: "'", '’': "'", '‘': "'" };

/** Text reduced to what people mean when they search: no case, no diacritics, one form of letters with two codes. */
export function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(combining, '')
    .toLowerCase()
    .replace(/[يكёʻʼ’‘]/g, (c) => same[c] ?? c);
}

/** Up to two letters for an avatar; whole graphemes, so that Indic scripts stay whole. */
export function initials(name: string): string {
  const words = name.split(/[\s.@_-]+/).filter((w) => /\p{L}|\p{N}/u.test(w));
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const first = (word: string | undefined) => {
    if (!word) return '';
    const letters = word.replace(/^[^\p{L}\p{N}]+/u, '');
    return segmenter.segment(letters)[Symbol.iterator]().next().value?.segment ?? '';
  };
  const two = words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
  return two.toUpperCase() || '?';
}

/** A stable number from 0 to `buckets - 1` for a text. */
export function hash(text: string, buckets: number): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return (h >>> 0) % buckets;
}

/** A text in two, cut before a character counted in code points, as the server counts. */
export function splitAt(text: string, points: number): readonly [string, string] {
  let at = 0;
  for (let n = 0; n < points && at < text.length; n += 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return [text.slice(0, at), text.slice(at)];
}

export type Piece = { text: string; href?: string };

const LINK = /\bhttps?:\/\/[^\s<>"']+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g;

/** Plain text cut into pieces, links marked. Only http, https and mail addresses become links. */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    let raw = match[0];
    const start = match.index;
    // Punctuation after a link belongs to the sentence; a closing bracket only when it was opened in the link.
    while (/[.,;:!?)\]}»]$/.test(raw)) {
      if (raw.endsWith(')') && raw.split('(').length === raw.split(')').length) break;
      raw = raw.slice(0, -1);
    }
    if (!raw) continue;
    if (start > at) pieces.push({ text: text.slice(at, start) });
    pieces.push({ text: raw, href: raw.startsWith('http') ? raw : `mailto:${raw}` });
    at = start + raw.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** A snippet with `<mark>` (everything else escaped by the server) cut into plain and marked pieces. */
export function marked(snippet: string): { text: string; hit: boolean }[] {
  const plain = (s: string) =>
    s
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&quot;/g, '"')
      .replace(/&#(?:39|x27);/g, "'")
      .replace(/&amp;/g, '&');
  return snippet
    .split(/(<mark>[\s\S]*?<\/mark>)/)
    .filter(Boolean)
    .map((part) =>
      part.startsWith('<mark>') ? { text: plain(part.slice(6, -7)), hit: true } : { text: plain(part), hit: false },
    );
}

/** Words of whatever language amid others: their full stop stays at their own end. */
export const isolated = (text: string): string => (text ? `\u2068${text}\u2069` : '');
