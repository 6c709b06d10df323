import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { choose, fits } from './invite';
import { initials } from './log';
import { asked } from './prechat';
import { sha256, solve, zeros } from './work';

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, '0')).join('');

describe('proof of work', () => {
  it('hashes as the standard does, whatever the length', () => {
    for (let length = 0; length < 200; length++) {
      const text = 'abcdefgh'.repeat(25).slice(0, length);
      expect(hex(sha256(text))).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });

  it('counts zero bits over words', () => {
    expect(zeros(new Uint32Array([0, 0x0fffffff]))).toBe(36);
    expect(zeros(new Uint32Array([0x80000000]))).toBe(0);
  });

  it('finds a nonce that the server takes', async () => {
    const { challenge, nonce } = await solve({ challenge: '16.1800000000.x.sig', bits: 12 });
    const hash = createHash('sha256').update(`${challenge}:${nonce}`).digest();
    expect(hash.readUInt16BE() >> 4).toBe(0);
  });
});

describe('invitations', () => {
  const now = { url: 'https://shop.example/prices?x=1', secs: 20, returning: false };

  it('the first that fits is chosen', () => {
    const rules = [
      { text: 'late', after_secs: 30 },
      { text: 'elsewhere', url: '/about' },
      { text: 'back again', visitors: 'returning' },
      { text: 'prices', url: '/prices', after_secs: 20, visitors: 'new' },
      { text: 'anything' },
    ];
    expect(choose(rules, now)?.text).toBe('prices');
    expect(choose(rules, { ...now, returning: true })?.text).toBe('back again');
    expect(choose(rules, { ...now, secs: 19 })?.text).toBe('anything');
    expect(choose([{ text: '' }], now)).toBeUndefined();
  });

  it('a star stands for anything, in order', () => {
    expect(fits('/shop/*/lamps', 'https://a.example/shop/green/lamps')).toBe(true);
    expect(fits('/lamps*/shop', 'https://a.example/shop/green/lamps')).toBe(false);
  });
});

describe('questions before the chat', () => {
  const field = (show_when: object) => ({ name: 'order', show_when: { field: 'topic', ...show_when } });

  it('are asked only while their condition holds', () => {
    expect(asked({ name: 'order' }, {})).toBe(true);
    expect(asked(field({ is: ['Help'] }), { topic: 'Help' })).toBe(true);
    expect(asked(field({ is: ['Help'] }), { topic: 'Sales' })).toBe(false);
    expect(asked(field({ is: ['Help'], not: true }), { topic: 'Sales' })).toBe(true);
    expect(asked(field({}), {})).toBe(false);
    expect(asked(field({}), { topic: 'x' })).toBe(true);
  });
});

describe('texts', () => {
  const folder = join(import.meta.dirname, 'strings');
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, string>;
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();

  it('every language says everything, with the same places to fill in', () => {
    const english = read('en.json');
    for (const name of readdirSync(folder)) {
      const texts = read(name);
      expect(Object.keys(texts).sort(), name).toEqual(Object.keys(english).sort());
      for (const [key, text] of Object.entries(texts))
        expect(places(text), `${name}: ${key}`).toBe(places(english[key] ?? ''));
    }
  });

  it('initials are of the first and the last name', () => {
    expect(initials('Anna Maria Berg')).toBe('AB');
    expect(initials(' зарина ')).toBe('З');
  });
});
