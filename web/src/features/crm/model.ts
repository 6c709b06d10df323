import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Adapter = Schemas['CrmAdapter'];
export type Connection = Schemas['CrmConnection'];
export type Job = Schemas['CrmJob'];
export type Link = Schemas['CrmLink'];
export type Rule = Schemas['CrmFieldRule'];
export type Mapping = Schemas['CrmMapping'];
export type Options = Schemas['CrmOptions'];
export type RemoteField = Schemas['CrmField'];
export type RemoteStatus = Schemas['CrmStatus'];
export type RemoteUser = Schemas['CrmUser'];
export type Source = Schemas['CrmSource'];

/** Our statuses, as a mapping names them. */
export const STATUSES = ['new', 'in_progress', 'converted', 'junk'] as const;

/** The tone of a connection's state, by what an admin should do about it. */
export function tone(c: Pick<Connection, 'state' | 'failures' | 'dead'>): 'ok' | 'warn' | 'bad' | 'off' {
  if (c.state === 'stopped') return 'bad';
  if (c.state === 'paused') return 'off';
  return c.failures >= 3 || c.dead > 0 ? 'warn' : 'ok';
}

/** A row of the mapping for a field of theirs: of its kind, and without what does not fit another field. */
export function ruleFor(field: RemoteField | undefined, to: string, before: Rule): Rule {
  return { ...before, to, kind: field?.kind ?? 'text', values: {}, otherwise: null };
}

/** The pairs of people with one changed; an empty id leaves them to be found by their address. */
export function paired(owners: Record<string, string>, ours: string, theirs: string): Record<string, string> {
  const { [ours]: _before, ...others } = owners;
  const id = theirs.trim();
  return id ? { ...others, [ours]: id } : others;
}

/** A typed text as the value of a field; what is no number stays text, so that the server can say so. */
export function typed(text: string, kind: Rule['kind']): unknown {
  const bare = text.trim();
  if (!bare) return null;
  if (kind === 'number' && Number.isFinite(Number(bare.replace(',', '.')))) return Number(bare.replace(',', '.'));
  if (kind === 'boolean') return bare === 'true';
  if (kind === 'choices') return bare.split(',').map((one) => one.trim());
  return bare;
}

/** "their value = our value" lines as a table, and back. */
export function table(text: string): Record<string, string> {
  const pairs = text
    .split('\n')
    .map((line) => line.split('='))
    .filter((parts) => parts.length >= 2 && parts[0]?.trim());
  return Object.fromEntries(pairs.map(([ours, ...theirs]) => [(ours ?? '').trim(), theirs.join('=').trim()]));
}
export function lines(values: Record<string, string> | undefined): string {
  return Object.entries(values ?? {})
    .map(([ours, theirs]) => `${ours} = ${theirs}`)
    .join('\n');
}
