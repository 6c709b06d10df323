import type { components } from '../../api/schema';

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
];

/** The fields a column can fill, by group; a custom field that is mapped already stands among the others. */
export function groups(kind: string, mapped: string[]): { group: string; fields: string[] }[] {
  const own = mapped.filter((f) => !FIELDS.includes(f)).toSorted();
  const all = [...FIELDS, ...own];
  const names = [...new Set(all.map((f) => f.slice(0, f.indexOf('.'))))];
  return names
    .filter((group) => group !== 'lead' || kind !== 'contacts')
    .map((group) => ({ group, fields: all.filter((f) => f.startsWith(`${group}.`)) }));
}

/** The name of a custom field, `null` of others. */
export function customName(field: string): string | null {
  return /^(?:contact|company|lead)\.fields\.(.+)$/.exec(field)?.[1] ?? null;
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
  const made = item.counts.contacts + item.counts.leads + item.counts.companies;
  const [done, all] =
    item.state === 'undoing' ? [item.counts.removed + item.counts.kept, made] : [item.counts.rows, item.total];
  return all > 0 ? Math.min(1, done / all) : 0;
}
