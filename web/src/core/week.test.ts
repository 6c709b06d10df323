import { describe, expect, it } from 'vitest';
import {
  add,
  copyDay,
  drawn,
  formatTime,
  normalize,
  parseTime,
  pieces,
  remove,
  resize,
  snap,
  toSpans,
  toWeekly,
} from './week';

const span = (day: number, from: string, to: string) =>
  toSpans({ [['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][day] ?? '']: [[from, to]] })[0] ?? never();
const never = () => {
  throw new Error('no interval');
};

describe('times', () => {
  it('are read and written as the API has them', () => {
    expect([parseTime('00:00'), parseTime('09:15'), parseTime('24:00')]).toEqual([0, 555, 1440]);
    expect([parseTime('24:15'), parseTime('9:00'), parseTime('10:60'), parseTime('')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect([formatTime(0), formatTime(555), formatTime(1440), formatTime(1800)]).toEqual([
      '00:00',
      '09:15',
      '24:00',
      '06:00',
    ]);
  });
  it('snap to quarters of an hour', () => {
    expect([snap(7), snap(8), snap(547)]).toEqual([0, 15, 540]);
  });
});

describe('a week', () => {
  it('comes back as it was', () => {
    const weekly = {
      mon: [
        ['09:00', '13:00'],
        ['14:00', '18:00'],
      ],
      fri: [['22:00', '06:00']],
      sun: [['00:00', '24:00']],
    };
    expect(toWeekly(toSpans(weekly))).toEqual(weekly);
  });
  it('keeps what is no interval out', () => {
    expect(
      toSpans({
        mon: [
          ['09:00', '09:00'],
          ['24:00', '01:00'],
          ['x', '10:00'],
        ],
      }),
    ).toEqual([]);
  });
  it('shows a night in two columns, with an edge in each', () => {
    expect(pieces([span(6, '22:00', '06:00')])).toEqual([
      { span: 0, day: 6, from: 1320, to: 1440, begins: true, ends: false },
      { span: 0, day: 0, from: 0, to: 360, begins: false, ends: true },
    ]);
  });
});

describe('drawing', () => {
  it('joins what overlaps and what meets within a day', () => {
    const week = add(
      toSpans({
        mon: [
          ['09:00', '13:00'],
          ['14:00', '18:00'],
        ],
      }),
      { day: 0, from: 13 * 60, to: 14 * 60 },
    );
    expect(toWeekly(week)).toEqual({ mon: [['09:00', '18:00']] });
  });
  it('leaves days that meet at midnight apart', () => {
    const whole = { mon: [['00:00', '24:00']], tue: [['00:00', '24:00']] };
    expect(toWeekly(normalize(toSpans(whole)))).toEqual(whole);
  });
  it('joins a night with the morning it reaches into', () => {
    const week = add(toSpans({ mon: [['22:00', '06:00']] }), { day: 1, from: 5 * 60, to: 9 * 60 });
    expect(toWeekly(week)).toEqual({ mon: [['22:00', '09:00']] });
    const sunday = add(toSpans({ sun: [['22:00', '06:00']] }), { day: 0, from: 5 * 60, to: 9 * 60 });
    expect(toWeekly(sunday)).toEqual({ sun: [['22:00', '09:00']] });
  });
  it('cuts what would be longer than can be said', () => {
    const week = add(toSpans({ mon: [['08:00', '06:00']] }), { day: 1, from: 5 * 60, to: 12 * 60 });
    expect(toWeekly(week)).toEqual({ mon: [['08:00', '05:00']], tue: [['05:00', '12:00']] });
  });
  it('takes the points in any order, and crosses midnight into the next column only', () => {
    expect(drawn({ day: 2, minute: 700 }, { day: 2, minute: 547 })).toEqual({ day: 2, from: 540, to: 705 });
    expect(drawn({ day: 2, minute: 600 }, { day: 2, minute: 600 })).toEqual({ day: 2, from: 600, to: 615 });
    expect(drawn({ day: 6, minute: 1320 }, { day: 0, minute: 358 })).toEqual({ day: 6, from: 1320, to: 1800 });
    expect(drawn({ day: 2, minute: 600 }, { day: 5, minute: 660 })).toEqual({ day: 2, from: 600, to: 660 });
    expect(drawn({ day: 2, minute: 1439 }, { day: 2, minute: 1440 })).toEqual({ day: 2, from: 1425, to: 1440 });
  });
});

describe('changing', () => {
  const week = toSpans({
    mon: [
      ['09:00', '13:00'],
      ['14:00', '18:00'],
    ],
  });
  it('moves an edge, never past the other', () => {
    expect(toWeekly(resize(week, 0, 'from', 8 * 60 + 5))).toEqual({
      mon: [
        ['08:00', '13:00'],
        ['14:00', '18:00'],
      ],
    });
    expect(toWeekly(resize(week, 1, 'from', 20 * 60))).toEqual({
      mon: [
        ['09:00', '13:00'],
        ['17:45', '18:00'],
      ],
    });
    expect(toWeekly(resize(week, 1, 'to', 26 * 60))).toEqual({
      mon: [
        ['09:00', '13:00'],
        ['14:00', '02:00'],
      ],
    });
    expect(toWeekly(resize(week, 0, 'to', 15 * 60))).toEqual({ mon: [['09:00', '18:00']] });
  });
  it('never makes an interval of a day or longer that does not begin at midnight', () => {
    expect(toWeekly(resize(week, 1, 'to', 40 * 60))).toEqual({
      mon: [
        ['09:00', '13:00'],
        ['14:00', '13:45'],
      ],
    });
    const night = toSpans({ mon: [['22:00', '21:00']] });
    expect(toWeekly(resize(night, 0, 'from', 0))).toEqual({ mon: [['21:15', '21:00']] });
  });
  it('removes one and copies a day over others', () => {
    expect(toWeekly(remove(week, 0))).toEqual({ mon: [['14:00', '18:00']] });
    const copied = copyDay([...week, { day: 1, from: 0, to: 60 }], 0, [0, 1, 2]);
    const day = [
      ['09:00', '13:00'],
      ['14:00', '18:00'],
    ];
    expect(toWeekly(copied)).toEqual({ mon: day, tue: day, wed: day });
    expect(toWeekly(copyDay(toSpans({ mon: [['22:00', '06:00']] }), 0, [1]))).toEqual({
      mon: [['22:00', '06:00']],
      tue: [['22:00', '06:00']],
    });
  });
});

describe('any week', () => {
  it('has no overlap after drawing, and can be said', () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (let round = 0; round < 60; round++) {
      let week = toSpans({});
      for (let n = 0; n < 12; n++) {
        const from = random(96) * 15;
        week = add(week, { day: random(7), from, to: from + 15 + random(95) * 15 });
      }
      const taken = new Set<number>();
      for (const { day, from, to } of week) {
        expect(to - from === 1440 ? from : 0).toBe(0);
        expect(to - from).toBeLessThanOrEqual(1440);
        for (let at = from; at < to; at += 15) {
          const quarter = (day * 1440 + at) % 10080;
          expect(taken.has(quarter)).toBe(false);
          taken.add(quarter);
        }
      }
      expect(toSpans(toWeekly(week))).toEqual(week);
    }
  });
});
