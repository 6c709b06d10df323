/** What the panel says. `{…}` are places to fill in. */

import type english from './strings/en.json';

/** Hash of all files in `strings/`. Set by the build. */
declare const STRINGS: string;

/** All texts of one language. The build fills up what a language lacks with English. */
export type Strings = typeof english;

/** Languages with a file of their own in `strings/`. */
const KNOWN = ['de', 'en', 'es', 'fa', 'ru', 'uz'];

/** A language that the panel can speak. `tag` keeps the region, for dates and numbers. */
export interface Language {
  code: string;
  tag: string;
  rtl: boolean;
}

/**
 * The language to speak: the first wish that is known, by its primary subtag (`ru-KZ` → `ru`).
 * `auto`, empty and unknown wishes are passed over.
 */
export function choose(wishes: (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const tag = wish?.trim().replace('_', '-') ?? '';
    const code = tag.split('-')[0]?.toLowerCase() ?? '';
    if (KNOWN.includes(code)) return { code, tag, rtl: code === 'fa' };
  }
  return { code: 'en', tag: 'en', rtl: false };
}

/** The texts of a language. */
export async function texts(code: string, origin: string): Promise<Strings> {
  const file = (await import(/* @vite-ignore */ `${origin}/widget/strings-${code}.js?v=${STRINGS}`)) as {
    default: Strings;
  };
  return file.default;
}

/** Puts values into the places of a text. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
