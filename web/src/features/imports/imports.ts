import type { components } from '../../api/schema';
import { tOr } from '../../i18n/i18n.svelte';

type Schemas = components['schemas'];

/** How a file is read. */
export interface Layout {
  format: 'csv' | 'xlsx' | 'vcard';
  encoding: string | null;
  delimiter: string | null;
  header: boolean;
  sheet: string | null;
}
export type Target = Schemas['ImportTarget'];
/** What is not said when it is sent has its default; what comes is whole. */
export type Options = Required<Schemas['ImportOptions']>;
export type Counts = Required<Schemas['ImportCounts']>;
export type Import = Omit<Schemas['Import'], 'layout' | 'options' | 'counts'> & {
  layout: Layout;
  options: Options;
  counts: Counts;
};
export interface Wrong {
  field: string;
  column: string | null;
  code: string;
  reason: string;
  value: string;
}
export type Preview = Omit<Schemas['ImportPreview'], 'rows'> & {
  rows: { line: number; cells: string[]; errors: Wrong[] }[];
};
export type WrongRow = Omit<Schemas['ImportError'], 'errors'> & { errors: Wrong[] };
export type KeptMapping = Schemas['ImportMapping'];

/** Somebody works on it. */
export const isBusy = (state: Import['state']): boolean => ['checking', 'running', 'undoing'].includes(state);
/** Its mapping may be changed. */
export const isOpen = (state: Import['state']): boolean => state === 'draft' || state === 'checked';

const FIELDS = [
  ...['name', 'first_name', 'middle_name', 'last_name', 'email', 'phone', 'external_id', 'language', 'operator'].map(
    (f) => `contact.${f}`,
  ),
  'company.name',
  ...['title', 'status', 'source', 'comment', 'operator', 'created_at'].map((f) => `lead.${f}`),
  ...['source', 'medium', 'campaign', 'term', 'content'].map((f) => `lead.utm_${f}`),
  ...['title', 'amount', 'currency', 'pipeline', 'stage', 'closed_at', 'operator', 'tags', 'loss_reason'].map(
    (f) => `deal.${f}`,
  ),
  ...['external_id', 'created_at'].map((f) => `deal.${f}`),
];
/** What rows become, with what no column can fill then. */
const WITHOUT: Record<string, string[]> = { leads: ['deal'], contacts: ['lead', 'deal'], deals: ['lead'] };
export const KINDS = Object.keys(WITHOUT);

/** A field that an admin defined, as a column can fill it. */
export type Defined = Pick<Schemas['CustomField'], 'object' | 'key' | 'label'>;
export const wordOf = (one: Defined): string => `${one.object}.fields.${one.key}`;

/** The fields a column can fill, by group; custom fields that are defined or mapped already stand among the others. */
export function groups(kind: string, mapped: string[], defined: Defined[] = []): { group: string; fields: string[] }[] {
  const known = defined.map(wordOf);
  const own = [...known, ...mapped.filter((f) => !FIELDS.includes(f) && !known.includes(f)).toSorted()];
  const all = [...FIELDS, ...own];
  const names = [...new Set(all.map((f) => f.slice(0, f.indexOf('.'))))];
  return names
    .filter((group) => !WITHOUT[kind]?.includes(group))
    .map((group) => ({ group, fields: all.filter((f) => f.startsWith(`${group}.`)) }));
}

/** The name of a custom field, `null` of others. */
export function customName(field: string): string | null {
  return /^(?:contact|company|lead|deal)\.fields\.(.+)$/.exec(field)?.[1] ?? null;
}

/** What is wrong, in the reader's language; what there is instead stands in the server's words, after a colon. */
export function complaint(wrong: Pick<Wrong, 'code' | 'reason'>): string {
  const key = `imports-code-${wrong.code.replaceAll('_', '-')}`;
  const list = ['not_select', 'not_multi_select', 'unknown_pipeline', 'unknown_stage'].includes(wrong.code)
    ? wrong.reason.slice(wrong.reason.indexOf(':'))
    : '';
  const text = tOr(key, '');
  return text ? text + list : wrong.reason;
}

/** The mapping with a column's field changed; an empty field leaves the column out. */
export function withField(mapping: Target[], column: string, field: string): Target[] {
  const others = mapping.filter((m) => m.column !== column);
  return field ? [...others, { column, field }] : others;
}

/** A name for a custom field of a column, as it may stand in a field's word. */
export function keyOf(column: string): string {
  return column.replaceAll('.', ' ').replaceAll(/\s+/g, ' ').trim().slice(0, 60);
}

/** How far it is, from 0 to 1. */
export function share(item: Pick<Import, 'counts' | 'total' | 'state'>): number {
  const made = item.counts.contacts + item.counts.leads + item.counts.companies + item.counts.deals;
  const [done, all] =
    item.state === 'undoing' ? [item.counts.removed + item.counts.kept, made] : [item.counts.rows, item.total];
  return all > 0 ? Math.min(1, done / all) : 0;
}
