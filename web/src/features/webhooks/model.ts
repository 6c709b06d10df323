import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Webhook = Schemas['Webhook'];
export type Delivery = Schemas['WebhookDelivery'];
export type DeliveryWhole = Schemas['WebhookDeliveryWhole'];

export const STATES = ['failed', 'queued', 'sending', 'delivered'] as const;

export interface Family {
  /** `lead` of `lead.created`. */
  name: string;
  words: string[];
}

/** The words of events, in families by what they are about, in the order they came. */
export function families(words: string[]): Family[] {
  const found: Family[] = [];
  for (const word of words) {
    const name = word.split('.')[0] ?? word;
    const family = found.find((one) => one.name === name);
    if (family) family.words.push(word);
    else found.push({ name, words: [word] });
  }
  return found;
}

/** Whether a choice covers a word: by itself, by `lead.*` or by `*`. */
export function covers(chosen: string[], word: string): boolean {
  return chosen.some(
    (entry) => entry === word || entry === '*' || (entry.endsWith('.*') && word.startsWith(entry.slice(0, -1))),
  );
}

/** The choice with a word more or less. Taken out of a star, the others of the star stay, one by one. */
export function toggled(chosen: string[], word: string, all: string[]): string[] {
  if (!covers(chosen, word)) return [...chosen, word];
  const stars = chosen.filter((entry) => entry.endsWith('*') && covers([entry], word));
  const spelled = all.filter((one) => one !== word && covers(stars, one));
  const kept = chosen.filter((entry) => entry !== word && !stars.includes(entry));
  return [...new Set([...kept, ...spelled])];
}

/** The choice with a whole family more or less. */
export function toggledFamily(chosen: string[], family: Family, all: string[]): string[] {
  const star = `${family.name}.*`;
  if (family.words.every((word) => covers(chosen, word))) {
    return family.words.reduce((left, word) => (covers(left, word) ? toggled(left, word, all) : left), chosen);
  }
  return [...chosen.filter((entry) => !family.words.includes(entry)), star];
}

/** `text/plain` of a payload, for people to read. */
export function pretty(body: unknown): string {
  return JSON.stringify(body, null, 2);
}

/** The chip of a state. */
export function tone(state: string): string {
  return { delivered: 'ok', failed: 'danger', sending: 'accent' }[state] ?? '';
}

/** The beginning of a day some days ago, as the field for a date and time wants it. */
export function daysAgo(days: number, now: Date): string {
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T00:00`;
}
