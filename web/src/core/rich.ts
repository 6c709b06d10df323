/**
 * Rich text as operators type it: a few signs that read well as they are, and become real formatting on channels that
 * carry it. `**bold**`, `_italic_`, `[words](https://…)`, lines that begin with `- `, `1. ` or `> `.
 */

export interface Rich {
  /** Without the signs. */
  text: string;
  /** Null when nothing was formatted. */
  html: string | null;
}

const escape = (s: string) =>
  s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

const LINK = /\[([^\]\n]+)\]\(((?:https?:\/\/|mailto:)[^\s()]+(?:\([^\s()]*\)[^\s()]*)*)\)/;
const BOLD = /\*\*(?=\S)([^\n]*?\S)\*\*/;
const ITALIC = /(?<![\p{L}\p{N}_])_(?=\S)([^\n_]*?\S)_(?![\p{L}\p{N}_])/u;
const URL = /\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}»]/;

type Found = { at: number; length: number; html: string; text: string; formatted: boolean };

/** One line: the sign that comes first wins, what is inside it is read again. */
function inline(line: string): { html: string; text: string; formatted: boolean } {
  let rest = line;
  let html = '';
  let text = '';
  let formatted = false;
  while (rest) {
    const found = first(rest);
    if (!found) break;
    const before = rest.slice(0, found.at);
    html += escape(before) + found.html;
    text += before + found.text;
    formatted ||= found.formatted;
    rest = rest.slice(found.at + found.length);
  }
  return { html: html + escape(rest), text: text + rest, formatted };
}

function first(line: string): Found | null {
  let best: Found | null = null;
  const offer = (match: RegExpExecArray | null, make: (m: RegExpExecArray) => Omit<Found, 'at' | 'length'>) => {
    if (match && (!best || match.index < best.at)) best = { at: match.index, length: match[0].length, ...make(match) };
  };
  const wrap = (tag: string) => (m: RegExpExecArray) => {
    const inner = inline(m[1] ?? '');
    return { html: `<${tag}>${inner.html}</${tag}>`, text: inner.text, formatted: true };
  };
  offer(LINK.exec(line), (m) => {
    const [, words = '', href = ''] = m;
    return {
      html: `<a href="${escape(href)}">${escape(words)}</a>`,
      text: words === href ? href : `${words} (${href.replace(/^mailto:/, '')})`,
      formatted: true,
    };
  });
  offer(BOLD.exec(line), wrap('strong'));
  offer(ITALIC.exec(line), wrap('em'));
  offer(URL.exec(line), (m) => ({
    html: `<a href="${escape(m[0])}">${escape(m[0])}</a>`,
    text: m[0],
    formatted: false,
  }));
  return best;
}

type Kind = 'ul' | 'ol' | 'blockquote' | 'p' | '';
const kindOf = (line: string): [Kind, string] => {
  const match = /^(?:([-*•]) |(\d{1,3})[.)] |(>) ?)(.*)$/.exec(line);
  if (!match) return [line.trim() ? 'p' : '', line];
  return [match[1] ? 'ul' : match[2] ? 'ol' : 'blockquote', match[4] ?? ''];
};

/** What is sent of what was typed. */
export function rich(source: string): Rich {
  let html = '';
  let formatted = false;
  const lines: string[] = [];
  let open: Kind = '';
  let held: string[] = [];
  const close = () => {
    if (open === 'p') html += `<p>${held.join('<br>')}</p>`;
    else if (open === 'blockquote') html += `<blockquote><p>${held.join('<br>')}</p></blockquote>`;
    else if (open) html += `<${open}>${held.map((x) => `<li>${x}</li>`).join('')}</${open}>`;
    open = '';
    held = [];
  };
  for (const line of source.replace(/\r\n?/g, '\n').trim().split('\n')) {
    const [kind, words] = kindOf(line);
    const said = inline(words);
    formatted ||= said.formatted || kind === 'ul' || kind === 'ol' || kind === 'blockquote';
    lines.push(line.slice(0, line.length - words.length) + said.text);
    if (kind !== open) close();
    open = kind;
    if (kind) held.push(said.html);
  }
  close();
  return { text: lines.join('\n'), html: formatted ? html : null };
}

/** A change of a field: the text between `from` and `to` is replaced, and then `start` to `end` is selected. */
export interface Change {
  from: number;
  to: number;
  text: string;
  start: number;
  end: number;
}

/** Puts signs around the selection, or takes them away when they are there. */
export function toggleAround(text: string, from: number, to: number, sign: string): Change {
  const inside = text.slice(from, to);
  const n = sign.length;
  if (text.slice(from - n, from) === sign && text.slice(to, to + n) === sign)
    return { from: from - n, to: to + n, text: inside, start: from - n, end: to - n };
  const lead = /^\s*/.exec(inside)?.[0].length ?? 0;
  const core = inside.trim();
  const after = inside.slice(lead + core.length);
  const start = from + lead + n;
  return { from, to, text: inside.slice(0, lead) + sign + core + sign + after, start, end: start + core.length };
}

/** Puts a sign before each line of the selection, or takes it away when all have it. */
export function toggleLines(text: string, from: number, to: number, sign: '- ' | '> ' | '1. '): Change {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const next = text.indexOf('\n', Math.max(from, to - (text[to - 1] === '\n' && to > from ? 1 : 0)));
  const end = next < 0 ? text.length : next;
  const lines = text.slice(start, end).split('\n');
  const bare = lines.map((line) => line.replace(/^(?:[-*•] |\d{1,3}[.)] |> ?)/, ''));
  const has = (line: string) => (sign === '1. ' ? /^\d{1,3}[.)] /.test(line) : line.startsWith(sign.trimEnd()));
  const on = !lines.every(has);
  const out = bare.map((line, i) => (on ? (sign === '1. ' ? `${i + 1}. ` : sign) + line : line)).join('\n');
  return { from: start, to: end, text: out, start: from === to ? start + out.length : start, end: start + out.length };
}

/** What Enter does at the end of a list or a quote: the next item, or the end of it; null: nothing special. */
export function nextItem(text: string, at: number): Change | null {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const match = /^(?:([-*•]) |(\d{1,3})([.)]) |(> ))(.*)$/.exec(text.slice(start, at));
  if (!match) return null;
  if (!match[5]?.trim()) return { from: start, to: at, text: '', start, end: start };
  const sign = match[1] ? `${match[1]} ` : match[2] ? `${Number(match[2]) + 1}${match[3]} ` : '> ';
  const end = at + 1 + sign.length;
  return { from: at, to: at, text: `\n${sign}`, start: end, end };
}

/** Pasted rich text as it would be typed: emphasis, links, lists and quotes stay, everything else is words. */
export function fromHtml(html: string): string {
  const doc = new DOMParser().parseFromString(html, 'text/html');
  for (const el of doc.querySelectorAll('script, style, head, template, noscript')) el.remove();
  return blocks(doc.body)
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

const BLOCKS = /^(?:P|DIV|H[1-6]|UL|OL|LI|BLOCKQUOTE|TR|TABLE|PRE|SECTION|ARTICLE|HEADER|FOOTER|MAIN)$/;

function blocks(node: Node): string {
  let out = '';
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      const words = (child.textContent ?? '').replace(/\s+/g, ' ');
      out += out === '' || out.endsWith('\n') ? words.trimStart() : words;
      continue;
    }
    if (!(child instanceof Element)) continue;
    const inner = blocks(child);
    const words = inner.trim();
    const tag = child.tagName;
    const around = (sign: string) =>
      words && !words.includes('\n') ? inner.replace(words, () => sign + words + sign) : inner;
    if (tag === 'BR') out += '\n';
    else if (tag === 'B' || tag === 'STRONG') {
      // Google's clipboard wraps everything in a bold that is none.
      out += /font-weight:\s*(?:normal|400)/.test(child.getAttribute('style') ?? '') ? inner : around('**');
    } else if (tag === 'I' || tag === 'EM') out += around('_');
    else if (tag === 'A') {
      const href = child.getAttribute('href') ?? '';
      out += words && /^(?:https?:|mailto:)/i.test(href) && words !== href ? `[${words}](${href})` : inner;
    } else if (BLOCKS.test(tag)) {
      const prefix =
        tag === 'LI'
          ? child.parentElement?.tagName === 'OL'
            ? `${[...child.parentElement.children].indexOf(child) + 1}. `
            : '- '
          : '';
      const body = tag === 'BLOCKQUOTE' ? words.replace(/^/gm, '> ') : words;
      if (!body) continue;
      if (out && !out.endsWith('\n')) out += '\n';
      out += prefix + body + (tag === 'P' || tag === 'BLOCKQUOTE' || tag === 'UL' || tag === 'OL' ? '\n\n' : '\n');
    } else out += inner;
  }
  return out;
}
