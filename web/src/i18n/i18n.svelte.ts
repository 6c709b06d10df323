import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';

/** Languages of the interface. Direction comes from this table, styles use logical sides only. */
export const LOCALES: { code: string; name: string; dir: 'ltr' | 'rtl' }[] = [
  { code: 'en', name: 'English', dir: 'ltr' },
  { code: 'ru', name: 'Русский', dir: 'ltr' },
  { code: 'fa', name: 'فارسی', dir: 'rtl' },
];

const files = import.meta.glob<string>('./*.ftl', { query: '?raw', import: 'default' });

let bundle = $state.raw<FluentBundle | null>(null);
let current = $state('en');
let fallback: FluentBundle | null = null;

/** Texts of rare screens, in files of their own (`en.forms.ftl`), that are there by now. */
const parts = new Set<string>();

async function add(made: FluentBundle, code: string, part?: string): Promise<void> {
  const file = files[part ? `./${code}.${part}.ftl` : `./${code}.ftl`];
  if (file) made.addResource(new FluentResource(await file()), { allowOverrides: true });
}

async function load(code: string): Promise<FluentBundle> {
  const made = new FluentBundle(code);
  await Promise.all([undefined, ...parts].map((part) => add(made, code, part)));
  return made;
}

/** Loads the texts of rare screens: to be waited for before one is drawn. */
export async function texts(part: string): Promise<void> {
  if (parts.has(part)) return;
  parts.add(part);
  const loaded = [...new Set([bundle, fallback])].filter((b) => b !== null);
  await Promise.all(loaded.map((b) => add(b, b.locales[0] ?? 'en', part)));
}

export function preferredLocale(): string {
  const known = new Set(LOCALES.map((l) => l.code));
  for (const language of navigator.languages) {
    const code = language.split('-')[0] ?? '';
    if (known.has(code)) return code;
  }
  return 'en';
}

/** Loads a language and applies it to the page. English stands in for messages that a language does not have. */
export async function setLocale(code: string): Promise<void> {
  const known = LOCALES.find((l) => l.code === code) ?? LOCALES[0];
  if (!known) return;
  const [wanted, english] = await Promise.all([load(known.code), fallback ?? load('en')]);
  fallback = english;
  bundle = wanted;
  current = known.code;
  document.documentElement.lang = known.code;
  document.documentElement.dir = known.dir;
}

export function locale(): string {
  return current;
}

/** The language with the customs of its region, for dates and numbers: `en-GB` where the browser says so. */
export function region(): string {
  const language = (tag: string) => tag.split('-')[0];
  return navigator.languages.find((tag) => language(tag) === language(current)) ?? current;
}

/** The text for a key of the `.ftl` files, in the current language. */
export function t(key: string, args?: Record<string, FluentVariable>): string {
  for (const b of [bundle, fallback]) {
    const message = b?.getMessage(key);
    if (b && message?.value) return b.formatPattern(message.value, args ?? null, []);
  }
  return key;
}

/** The text for a key that depends on data: the raw value itself when there is no such message. */
export function tOr(key: string, otherwise: string): string {
  const text = t(key);
  return text === key ? otherwise : text;
}
