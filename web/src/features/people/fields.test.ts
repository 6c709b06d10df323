import { describe, expect, it } from 'vitest';
import { difference, grouped, keyOf, parseOptions, shown, writeOptions, type Say } from './fields';

const say: Say = {
  name: (id) => `<${id}>`,
  date: (day) => `day ${day}`,
  moment: (at) => `at ${at}`,
  number: (value) => `n${value}`,
  yes: 'Yes',
  no: 'No',
};
const options = [
  { value: 'a', label: 'Alpha' },
  { value: 'b', label: 'Beta' },
];

describe('fields', () => {
  it('show each type in the words of people, and what does not fit its type as it is', () => {
    const cases: [Parameters<typeof shown>[0], unknown, string][] = [
      [{ type: 'text', options: [] }, 'x', 'x'],
      [{ type: 'checkbox', options: [] }, false, 'No'],
      [{ type: 'number', options: [] }, 1200, 'n1200'],
      [{ type: 'money', options: [] }, { amount: '1200000.50', currency: 'UZS' }, '1\u00a0200\u00a0000.50 UZS'],
      [{ type: 'date', options: [] }, '2026-01-31', 'day 2026-01-31'],
      [{ type: 'date', options: [] }, 'next week', 'next week'],
      [{ type: 'date_time', options: [] }, '2026-01-31T09:00:00Z', 'at 2026-01-31T09:00:00Z'],
      [{ type: 'select', options }, 'b', 'Beta'],
      [{ type: 'select', options }, 'gone', 'gone'],
      [{ type: 'multi_select', options }, ['a', 'b'], 'Alpha, Beta'],
      [{ type: 'user', options: [] }, 'opr_1', '<opr_1>'],
      [undefined, { any: 1 }, '{"any":1}'],
      [undefined, null, ''],
    ];
    for (const [field, value, expected] of cases) expect(shown(field, value, say)).toBe(expected);
  });

  it('send what changed and nothing else', () => {
    expect(difference({ a: 1, b: [1], c: 'x' }, { a: 1, b: [1, 2], d: true })).toEqual({ b: [1, 2], c: null, d: true });
  });

  it('get keys that the server takes out of labels in Latin and Cyrillic letters', () => {
    expect([keyOf('Client since'), keyOf('Номер договора'), keyOf('1. Größe'), keyOf('日付')]).toEqual([
      'client_since',
      'nomer_dogovora',
      'gro_e',
      '',
    ]);
  });

  it('read options as they are written', () => {
    const read = parseOptions('vip = Very important\n\nnew\nnew');
    expect(read).toEqual([
      { value: 'vip', label: 'Very important' },
      { value: 'new', label: 'new' },
    ]);
    expect(parseOptions(writeOptions(read))).toEqual(read);
  });

  it('never round an amount', () => {
    expect([grouped('-1234567.10'), grouped('12'), grouped('999999999999999.9999')]).toEqual([
      '-1\u00a0234\u00a0567.10',
      '12',
      '999\u00a0999\u00a0999\u00a0999\u00a0999.9999',
    ]);
  });
});
