import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Exchange = Schemas['CommerceExchange'];
export type WithPassword = Schemas['CommerceExchangeWithPassword'];
export type ExchangeFile = Schemas['CommerceFile'];
export type Fault = Schemas['CommerceFault'];
export type Options = Required<Schemas['CommerceOptions']>;
export type Order = Schemas['CommerceOrder'];
export type Status = Schemas['CommerceStatus'];

export const WON = ['paid_and_shipped', 'paid', 'shipped', 'never'] as const;

/** What a status of 1C means here, as rows that may be unfinished. */
export interface StatusRow {
  words: string;
  stage: string;
}

export function rowsOf(stages: Record<string, string>): StatusRow[] {
  return Object.entries(stages).map(([words, stage]) => ({ words, stage }));
}

/** Rows that say something; of two about one status the later one holds. */
export function stagesOf(rows: StatusRow[]): Record<string, string> {
  const said = rows.filter((row) => row.words.trim() && row.stage);
  return Object.fromEntries(said.map((row) => [row.words.trim(), row.stage]));
}

/** The options of a new exchange; who works in Russian has their orders called so. */
export function begun(locale: string, title: string): Options {
  return {
    orders: true,
    parties: true,
    pipeline_id: null,
    operator_id: null,
    title,
    stages: {},
    won: 'paid_and_shipped',
    region: 'RU',
    language: locale.startsWith('en') ? 'en' : 'ru',
  };
}

/** The chip of a file's state. */
export function tone(file: ExchangeFile): string {
  if (file.state === 'failed') return 'danger';
  if (file.state === 'waiting' || file.state === 'receiving') return 'accent';
  return file.counts.failed > 0 ? 'warn' : 'ok';
}
