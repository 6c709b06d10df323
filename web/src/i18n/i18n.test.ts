import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FluentBundle, FluentResource } from '@fluent/bundle';
import { describe, expect, it } from 'vitest';
import { LOCALES } from './i18n.svelte';

const here = import.meta.dirname;
const src = join(here, '..');
const codes = LOCALES.map(({ code }) => code);

/** All texts of a language, those of rare screens too. */
const textOf = (code: string) =>
  readdirSync(here)
    .filter((name) => name === `${code}.ftl` || (name.startsWith(`${code}.`) && name.endsWith('.ftl')))
    .map((name) => readFileSync(join(here, name), 'utf8'))
    .join('\n');

function bundle(code: string): FluentBundle {
  const b = new FluentBundle(code);
  const errors = b.addResource(new FluentResource(textOf(code)));
  expect(errors).toEqual([]);
  return b;
}
const keysOf = (code: string) => [...textOf(code).matchAll(/^([a-z][\w-]*) =/gm)].map((m) => m[1] ?? '');

/** What the messages of a language insert or choose by: `count, name` of each. */
const variablesOf = (code: string) =>
  Object.fromEntries(
    textOf(code)
      .split(/^(?=[a-z][\w-]* =)/m)
      .map((message) => [
        message.split(' =')[0] ?? '',
        [...new Set([...message.matchAll(/\{\s*\$(\w+)/g)].map((m) => m[1] ?? ''))].sort().join(', '),
      ])
      .filter(([, variables]) => variables),
  );

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    if (e.isDirectory()) return e.name === 'widget' ? [] : sources(path);
    return /\.(svelte|ts)$/.test(e.name) && !e.name.endsWith('.test.ts') ? [readFileSync(path, 'utf8')] : [];
  });
}

describe('texts', () => {
  it('every language has exactly the messages of English', () => {
    for (const code of codes) expect({ code, keys: keysOf(code).sort() }).toEqual({ code, keys: keysOf('en').sort() });
  });

  it('every language has the same files, which screens load by the part of their name', () => {
    const partsOf = (code: string) =>
      readdirSync(here)
        .filter((name) => name.startsWith(`${code}.`) && name.endsWith('.ftl'))
        .map((name) => name.slice(code.length))
        .sort();
    for (const code of codes) expect({ code, parts: partsOf(code) }).toEqual({ code, parts: partsOf('en') });
  });

  it('every message says the same things in every language', () => {
    const english = variablesOf('en');
    for (const code of codes) expect({ code, variables: variablesOf(code) }).toEqual({ code, variables: english });
  });

  it('no message is written twice', () => {
    for (const code of codes) expect(new Set(keysOf(code)).size).toBe(keysOf(code).length);
  });

  it('every key that the code names as a constant exists', () => {
    const known = new Set(keysOf('en'));
    const used = sources(src).flatMap((text) => [...text.matchAll(/\bt\(\s*'([a-z][\w-]*)'/g)].map((m) => m[1] ?? ''));
    expect([...new Set(used)].filter((k) => !known.has(k))).toEqual([]);
  });

  it('every key that the code chooses between exists', () => {
    const known = new Set(keysOf('en'));
    const used = sources(src).flatMap((text) =>
      [...text.matchAll(/\bt\([^'()\n]*\? '([a-z][\w-]*)' : '([a-z][\w-]*)'/g)].flatMap((m) => [
        m[1] ?? '',
        m[2] ?? '',
      ]),
    );
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((k) => !known.has(k))).toEqual([]);
  });

  it('every family of keys that the code builds has its members', () => {
    const known = new Set(keysOf('en'));
    const families = sources(src).flatMap((text) =>
      [...text.matchAll(/\bt\(`([a-z][\w-]*-)\$\{/g)].map((m) => m[1] ?? ''),
    );
    const empty = [...new Set(families)].filter((f) => ![...known].some((k) => k.startsWith(f)));
    expect(empty).toEqual([]);
  });

  it('every message can be formatted in every language', () => {
    for (const code of codes) {
      const b = bundle(code);
      const args = Object.fromEntries(
        'item count name state status query level line version algorithm rank time at ago self load capacity reason reasons before members assigned offered place interval day date when file rows column after share by host size limit step lag provider since done total language names n detail verdict number extension pace format contacts leads companies deals word attachments recordings conversations created updated unchanged skipped'
          .split(' ')
          .map((k) => [k, k === 'count' ? 2 : 'x']),
      );
      for (const key of keysOf(code)) {
        const errors: Error[] = [];
        const message = b.getMessage(key);
        if (message?.value) b.formatPattern(message.value, args, errors);
        expect({ code, key, errors }).toEqual({ code, key, errors: [] });
      }
    }
  });

  it('Russian counts with its three forms', () => {
    const b = bundle('ru');
    const say = (count: number) =>
      b.formatPattern(b.getMessage('queue-members')?.value ?? '', { count }).replace(/[\u2068\u2069]/g, '');
    expect([1, 3, 7, 21].map(say)).toEqual(['1 запись', '3 записи', '7 записей', '21 запись']);
  });

  it('Persian counts in its own digits, and nought is not one', () => {
    const b = bundle('fa');
    const say = (key: string, count: number) =>
      b.formatPattern(b.getMessage(key)?.value ?? '', { count }).replace(/[\u2068\u2069]/g, '');
    expect([0, 1, 12].map((count) => say('queue-members', count))).toEqual(['۰ مورد', '۱ مورد', '۱۲ مورد']);
    expect(say('mail-blocked', 0)).toBe('۰ تصویر بیرونی بار نشده است.');
  });

  it('of rare screens are used by no other screen, which would not load them', () => {
    const homes = {
      simulation: ['simulation'],
      imports: ['imports'],
      forms: ['admin', 'intake'],
      reports: ['reports'],
      people: ['people', 'contacts'],
      webhooks: ['webhooks'],
      crm: ['crm'],
      commerce: ['commerce'],
      privacy: ['admin'],
      roles: ['roles'],
      deals: ['deals', 'tasks', 'reports', 'admin'],
    };
    for (const [part, folders] of Object.entries(homes)) {
      const text = readFileSync(join(here, `en.${part}.ftl`), 'utf8');
      const keys = [...text.matchAll(/^([a-z][\w-]*) =/gm)].map((m) => `'${m[1] ?? ''}'`);
      const elsewhere = readdirSync(join(src, 'features'))
        .filter((feature) => !folders.includes(feature))
        .flatMap((feature) => sources(join(src, 'features', feature)))
        .concat(sources(join(src, 'app')), sources(join(src, 'core')), sources(join(src, 'ui')));
      expect(keys.filter((key) => elsewhere.some((code) => code.includes(key)))).toEqual([]);
    }
  });
});
