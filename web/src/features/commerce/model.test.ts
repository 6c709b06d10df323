import { expect, test } from 'vitest';
import { begun, rowsOf, stagesOf, tone, type ExchangeFile } from './model';

test('rows that say nothing are left out, and of two about one status the later one holds', () => {
  const rows = [
    { words: ' Принят ', stage: 'stg_1' },
    { words: '', stage: 'stg_2' },
    { words: 'Отгружен', stage: '' },
    { words: 'Принят', stage: 'stg_3' },
  ];
  expect(stagesOf(rows)).toEqual({ Принят: 'stg_3' });
  expect(rowsOf(stagesOf(rows))).toEqual([{ words: 'Принят', stage: 'stg_3' }]);
});

test('a new exchange speaks to 1C in English only where people work in English', () => {
  expect(begun('en-GB', 'Order {number}').language).toBe('en');
  expect(begun('fa-IR', 'x').language).toBe('ru');
});

test('a file with something that could not be taken is marked, and one that failed more so', () => {
  const file = (state: string, failed: number) => ({ state, counts: { failed } }) as ExchangeFile;
  expect([tone(file('done', 0)), tone(file('done', 2)), tone(file('failed', 0)), tone(file('waiting', 0))]).toEqual([
    'ok',
    'warn',
    'danger',
    'accent',
  ]);
});
