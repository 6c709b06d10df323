/**
 * The texts of a line as the server fills them in (`src/line/text.rs`), for the preview of the editor. Both
 * say the same: `template.cases.json` holds them together.
 */

/** What a text may name; the server refuses others. */
export const VARIABLES = [
  'contact.name',
  'operator.name',
  'line.name',
  'conversation.number',
  'opens_at',
  'time_zone',
  'queue_position',
  'wait_minutes',
  'form_url',
] as const;
export type Variable = (typeof VARIABLES)[number];

/** Those that have a value when an operator writes. */
export const WRITTEN: readonly Variable[] = ['contact.name', 'operator.name', 'line.name', 'conversation.number'];

/** How the server tells of tomorrow morning, in the languages that it speaks. */
export const OPENS: Record<string, string> = {
  en: 'tomorrow at 09:00',
  de: 'morgen um 09:00 Uhr',
  es: 'mañana a las 09:00',
  fa: 'فردا ساعت 09:00',
  ru: 'завтра в 09:00',
  uz: 'ertaga soat 09:00 da',
};

/** The translations to send: what is now there, and null for a language that was taken away. */
export function changedTexts<T>(before: Record<string, T>, now: Record<string, T>): Record<string, T | null> {
  const gone = Object.keys(before).filter((tag) => !(tag in now));
  return { ...now, ...Object.fromEntries(gone.map((tag) => [tag, null])) };
}

/** The name of the first variable that does not exist, or a brace that is left open; null when all is well. */
export function unknown(template: string): string | null {
  let rest = template;
  for (let at; (at = rest.indexOf('{{')) >= 0;) {
    const end = rest.indexOf('}}', at + 2);
    if (end < 0) return '{{';
    const name = (rest.slice(at + 2, end).split('|')[0] ?? '').trim();
    if (!(VARIABLES as readonly string[]).includes(name)) return `{{${name}}}`;
    rest = rest.slice(end + 2);
  }
  return rest.includes('}}') ? '}}' : null;
}

/** The text with its values; what a missing one leaves behind is closed up. */
export function render(template: string, values: Partial<Record<string, string>>): string {
  let text = '';
  let gap = false;
  let rest = template;
  const say = (words: string) => {
    if (gap) [text, words] = closeGap(text, words);
    gap &&= !words;
    text += words;
  };
  for (let at; (at = rest.indexOf('{{')) >= 0;) {
    say(rest.slice(0, at));
    const end = rest.indexOf('}}', at + 2);
    if (end < 0) {
      rest = rest.slice(at + 2);
      break;
    }
    const [name = '', ...otherwise] = rest.slice(at + 2, end).split('|');
    const known = (VARIABLES as readonly string[]).includes(name.trim()) ? values[name.trim()] : undefined;
    const value = known ?? otherwise.join('|').trim();
    if (value) text += value;
    gap = !value;
    rest = rest.slice(end + 2);
  }
  say(rest);
  if (gap) [text] = closeGap(text, '');
  return text.trim().replace(/([{}])\1+/g, '$1');
}

function closeGap(text: string, after: string): [string, string] {
  if (!text || text.endsWith('\n')) return [text, after.replace(/^[,;:]*[ \t]*/, '')];
  if (!after || /^[.,!?;:)\n]/.test(after)) return [text.replace(/[ \t]+$/, '').replace(/[,;:]+$/, ''), after];
  if (/[ \t]$/.test(text)) return [text, after.replace(/^[ \t]+/, '')];
  return [text, after];
}
