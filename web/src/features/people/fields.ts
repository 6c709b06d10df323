import type { CustomField } from '../../api/types';

/** The words of a value for people; `name` tells who an operator is, `date` and `moment` how times are written. */
export interface Say {
  name: (id: string) => string;
  date: (day: string) => string;
  moment: (at: string) => string;
  number: (value: number) => string;
  yes: string;
  no: string;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What a form brought may be no time at all. */
const isTime = (value: string) => !Number.isNaN(Date.parse(value));

/** A value as people read it; an empty text for none. */
export function shown(field: Pick<CustomField, 'type' | 'options'> | undefined, value: unknown, say: Say): string {
  if (value === null || value === undefined || value === '') return '';
  const label = (v: unknown) => field?.options.find((o) => o.value === v)?.label ?? text(v);
  switch (field?.type) {
    case 'checkbox':
      return value === true ? say.yes : value === false ? say.no : text(value);
    case 'number':
      return typeof value === 'number' ? say.number(value) : text(value);
    case 'money': {
      const money = value as { amount?: unknown; currency?: unknown };
      return typeof money.amount === 'string' ? `${grouped(money.amount)} ${text(money.currency)}` : text(value);
    }
    case 'date':
      return typeof value === 'string' && isTime(`${value}T00:00:00Z`) ? say.date(value) : text(value);
    case 'date_time':
      return typeof value === 'string' && isTime(value) ? say.moment(value) : text(value);
    case 'select':
      return label(value);
    case 'multi_select':
      return Array.isArray(value) ? value.map(label).join(', ') : text(value);
    case 'user':
      return typeof value === 'string' ? say.name(value) : text(value);
    default:
      return text(value);
  }
}

/** Digits of an amount in threes, without reading it as a number: nothing is rounded. */
export function grouped(amount: string): string {
  const [whole = '', part] = amount.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, '\u00a0');
  return part === undefined ? spaced : `${spaced}.${part}`;
}

/** What changed between two sets of values, as the server takes it: null removes. */
export function difference(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key] ?? null, after[key] ?? null];
    if (JSON.stringify(was) !== JSON.stringify(is)) changed[key] = is;
  }
  return changed;
}

/** The key of a label in Latin or Cyrillic letters, as the server takes keys. */
export function keyOf(label: string): string {
  const cyrillic: Record<string, string> = Object.fromEntries(
    [...'абвгдеёжзийклмнопрстуфхцчшщъыьэюя'].map((c, i) => [
      c,
      'a b v g d e e zh z i y k l m n o p r s t u f h c ch sh sch  y  e yu ya'.split(' ')[i] ?? '',
    ]),
  );
  const latin = [...label.toLowerCase()].map((c) => cyrillic[c] ?? c).join('');
  const key = latin
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '');
  return key.slice(0, 50);
}

/** Options typed one a line, as `value = label` or just a label. */
export function parseOptions(lines: string): { value: string; label: string }[] {
  const seen = new Set<string>();
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [value = '', ...label] = line.split('=').map((part) => part.trim());
      return { value, label: label.join('=') || value };
    })
    .filter((o) => o.value && !seen.has(o.value) && seen.add(o.value));
}

/** The same back. */
export function writeOptions(options: { value: string; label: string }[]): string {
  return options.map((o) => (o.value === o.label ? o.label : `${o.value} = ${o.label}`)).join('\n');
}
