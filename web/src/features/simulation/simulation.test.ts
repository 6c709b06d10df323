import { describe, expect, it } from 'vitest';
import { dateOf, parseArrivals, period, sampleArrivals } from './arrivals';
import { bars, ceiling, steps, trend } from './chart';
import { changes, person } from './staff';

describe('arrivals from a file', () => {
  it('are read by the names of the columns, whatever their order', () => {
    const { arrivals, wrong } = parseArrivals(
      '\uFEFFhandle_secs,AT,language\r\n300,2027-01-04T09:00:00+05:00,en\r\n,2027-01-04T09:00:00Z,\r\n',
    );
    expect(wrong).toEqual([]);
    expect(arrivals).toEqual([
      { at: '2027-01-04T04:00:00.000Z', language: 'en', handle_secs: 300 },
      { at: '2027-01-04T09:00:00.000Z' },
    ]);
  });

  it('name each row that cannot be', () => {
    const { wrong } = parseArrivals(
      'at,handle_secs,priority\nsoon,1,0\n2027-01-04,-1,0\n2027-01-04,1,0.5\n2027-01-04,1,1\n',
    );
    expect(wrong).toEqual([
      { line: 2, column: 'at' },
      { line: 3, column: 'handle_secs' },
      { line: 4, column: 'priority' },
    ]);
    expect(parseArrivals('when\n').wrong.map((row) => row.column)).toEqual(['when', 'at']);
    expect(parseArrivals('').wrong).toHaveLength(1);
  });

  it('have a sample that reads', () => {
    const { arrivals, wrong } = parseArrivals(sampleArrivals(new Date(2027, 0, 4)));
    expect(wrong).toEqual([]);
    expect(arrivals.length).toBeGreaterThan(10);
  });
});

describe('a period', () => {
  it('holds the whole of its last day', () => {
    const found = period('2027-01-04', '2027-01-04');
    expect(new Date(found?.to ?? 0).getTime() - new Date(found?.from ?? 0).getTime()).toBe(86_400_000);
    expect(period('2027-01-05', '2027-01-04')).toBeNull();
    expect(period('', '2027-01-04')).toBeNull();
    expect(dateOf(new Date(2027, 0, 4))).toBe('2027-01-04');
  });
});

describe('a chart', () => {
  const slots = [
    { at: 'a', arrivals: 2, waiting: 0 },
    { at: 'b', arrivals: 4, waiting: 4 },
  ];
  it('ends at a round number', () => {
    expect([0, 1, 3, 7, 11, 21, 99].map(ceiling)).toEqual([1, 1, 5, 10, 20, 50, 100]);
  });
  it('draws bars from the bottom and waiting as steps', () => {
    expect(bars(slots, 100, 50, 5).map((bar) => [bar.y, bar.height])).toEqual([
      [30, 20],
      [10, 40],
    ]);
    expect(steps(slots, 100, 50, 5)).toBe('0,50 50,50 50,10 100,10');
  });
  it('says what got better', () => {
    expect([trend(10, 5, true), trend(10, 5, false), trend(5, 5, true), trend(null, 5, true)]).toEqual([
      'better',
      'worse',
      'same',
      'same',
    ]);
  });
});

describe('the staff', () => {
  it('is told only where it changed', () => {
    const user = (id: string, capacity: number) => ({ id, name: id, capacity });
    const [anna, boris, carl, dora] = [
      ...person(user('anna', 3), true),
      ...person(user('boris', 3), true),
      ...person(user('carl', 3), true),
      ...person(user('dora', 2), false),
    ];
    if (!anna || !boris || !carl || !dora) throw new Error('somebody is missing');
    expect(person(undefined, true)).toEqual([]);
    expect(changes([anna, { ...boris, capacity: 5 }, { ...carl, there: false }, dora])).toEqual([
      { operator_id: 'boris', capacity: 5 },
      { operator_id: 'carl', away: true },
      { operator_id: 'dora', capacity: 2 },
    ]);
  });
});
