/** What another service pushed, taken apart for a mapping. Pure. */
import type { FormField } from '../../../api/types';

export interface Mapping {
  /** JSON pointer */
  from: string;
  /** a field of the form, a mark of the campaign, or `submission_id` */
  to: string;
}

/** One value of a push. */
export interface Leaf {
  pointer: string;
  /** the place for people */
  path: string;
  value: string;
}

/** Marks of a campaign that a value may be, beside the fields of the form. */
export const MARKS = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'gclid', 'page_url'];
/** The service's own number of a lead. */
export const NUMBER = 'submission_id';

const MOST = 200;
const DEEPEST = 12;

/** A body as JSON: what forms send becomes an object, repeated names a list. Nothing when it is neither. */
export function parse(payload: string): unknown {
  const text = payload.trim();
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' ? json : undefined;
  } catch {
    if (!text || /^[{[<]/.test(text) || !text.includes('=')) return undefined;
  }
  const body: Record<string, unknown> = {};
  for (const [raw, value] of new URLSearchParams(text)) {
    const name = raw.replace(/\[\]/g, '').replace(/\[([^\]]*)\]/g, '.$1');
    const before = body[name];
    body[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return body;
}

/** All values of a body, in their order, with their pointers (RFC 6901). */
export function leaves(body: unknown): Leaf[] {
  const found: Leaf[] = [];
  const walk = (value: unknown, path: string[]): void => {
    if (found.length >= MOST || path.length > DEEPEST || value === null || value === undefined) return;
    if (typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name]);
      return;
    }
    if (!path.length || String(value).trim() === '') return;
    const pointer = path.map((part) => '/' + part.replace(/~/g, '~0').replace(/\//g, '~1')).join('');
    found.push({ pointer, path: path.join(' › '), value: String(value) });
  };
  walk(body, []);
  return found;
}

/** The mapping with a value mapped anew; to nothing when `to` is empty. */
export function mapped(mapping: readonly Mapping[], from: string, to: string): Mapping[] {
  const rest = mapping.filter((one) => one.from !== from);
  return to ? [...rest, { from, to }] : rest;
}

/** What the last part of a place usually is, in the languages whose sites we know. */
const USUAL: [RegExp, string][] = [
  [/e-?mail|почта/i, 'contact.email'],
  [/phone|tel|mobile|телефон/i, 'contact.phone'],
  [/company|organi[sz]ation|компания|организация/i, 'company.name'],
  [/name|имя|фио/i, 'contact.name'],
  [/comment|message|question|text|сообщение|вопрос|комментарий/i, 'lead.comment'],
];

/** What a value is by its own look, as a last resort. */
function said(value: string): string | undefined {
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return 'contact.email';
  return /^\+[\d ()-]{7,20}$/.test(value) ? 'contact.phone' : undefined;
}

/** The field that a place looks like: by its name, else by what such a name usually means, else by its value. */
export function likely(leaf: Leaf, fields: readonly FormField[], mapping: readonly Mapping[]): string {
  const last = (leaf.path.split(' › ').at(-1) ?? '').toLowerCase();
  const free = fields.filter((field) => field.type !== 'file' && !mapping.some((one) => one.to === field.name));
  const same = free.find((field) => field.name.toLowerCase() === last || field.label?.toLowerCase() === last);
  if (same) return same.name;
  const meaning = USUAL.find(([word]) => word.test(last))?.[1] ?? said(leaf.value);
  const type = meaning === 'contact.email' ? 'email' : meaning === 'contact.phone' ? 'phone' : '';
  return (
    free.find((field) => meaning && (field.maps_to === meaning || (!field.maps_to && type && field.type === type)))
      ?.name ?? ''
  );
}

/** A mapping for everything of a push whose meaning is plain. */
export function suggested(all: readonly Leaf[], fields: readonly FormField[]): Mapping[] {
  const mapping: Mapping[] = [];
  for (const leaf of all) {
    const to = likely(leaf, fields, mapping);
    if (to) mapping.push({ from: leaf.pointer, to });
  }
  return mapping;
}
