import { describe, expect, it } from 'vitest';
import { REMINDERS, fromField, pathOf, remindAt, reminderOf, toField } from './path';

describe('tasks', () => {
  it('lead to what they are about', () => {
    expect(pathOf({ type: 'deal', id: 'dea_1' })).toBe('/deals/dea_1');
    expect(pathOf({ type: 'conversation', id: 'cnv_1' })).toBe('/inbox/all/cnv_1');
    expect(pathOf(null)).toBe('/tasks');
  });

  it('remind as long before as was chosen, and show what was chosen', () => {
    const due = '2026-11-23T08:30:00.000Z';
    expect(remindAt(due, '60')).toBe('2026-11-23T07:30:00.000Z');
    for (const choice of REMINDERS) expect(reminderOf(due, remindAt(due, choice))).toBe(choice);
    expect(reminderOf(due, '2026-11-23T08:29:00.000Z')).toBe('own');
    // What was set by itself stays, and without a time there is nothing to remind of.
    expect(remindAt(due, 'own')).toBeUndefined();
    expect(remindAt(null, '10')).toBeNull();
  });

  it('keep their time through the field of the browser', () => {
    for (const iso of ['2026-11-23T08:30:00.000Z', '2026-03-29T01:30:00.000Z'])
      expect(fromField(toField(iso))).toBe(iso);
    expect(fromField('')).toBeNull();
    expect(toField(null)).toBe('');
  });
});
