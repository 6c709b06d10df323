import { describe, expect, it } from 'vitest';
import type { OperatorRouting } from '../../api/types';
import { lineSentence, obstacle, rejections, sentenceOf } from './said';

const decision = (outcome: string, algorithm: string, trigger = 'conversation') => ({
  outcome,
  algorithm,
  trigger,
  operator_id: null,
});
const line = (changes: Partial<OperatorRouting['lines'][number]> = {}): OperatorRouting['lines'][number] => ({
  line_id: 'lin_1',
  line_name: 'Support',
  enabled: true,
  open: true,
  opens_at: null,
  rejected_by: null,
  rank: 1,
  members: 3,
  free_before: 0,
  waiting: 0,
  ...changes,
});
const routing = (changes: Partial<OperatorRouting> = {}): OperatorRouting => ({
  operator_id: 'opr_1',
  at: '2026-01-01T00:00:00Z',
  enabled: true,
  presence: 'online',
  availability: 'accepting',
  load: 0,
  capacity: 5,
  lines: [line()],
  waiting: [],
  ...changes,
});

describe('a decision', () => {
  it('has a sentence for each outcome and way', () => {
    expect(sentenceOf(decision('assigned', 'even'))).toBe('why-said-even');
    expect(sentenceOf(decision('assigned', 'hand', 'take'))).toBe('why-said-hand');
    expect(sentenceOf(decision('waiting', 'strict'))).toBe('why-said-nobody');
    expect(sentenceOf(decision('waiting', 'sticky'))).toBe('why-said-kept');
    expect(sentenceOf(decision('waiting', 'hand', 'return'))).toBe('why-said-return');
    expect(sentenceOf(decision('off_hours', 'even'))).toBe('why-said-off_hours');
  });
  it('counts why nobody could take it, the commonest first', () => {
    const candidates = ['paused', 'offline', 'offline', null].map((rejected_by, i) => ({
      operator_id: `opr_${i}`,
      load: 0,
      rank: i + 1,
      rejected_by: rejected_by as 'paused' | 'offline' | null,
    }));
    expect(rejections(candidates)).toEqual([
      { reason: 'offline', count: 2 },
      { reason: 'paused', count: 1 },
    ]);
  });
});

describe('what keeps an operator from work', () => {
  it('is named in the order in which it must be mended', () => {
    expect(obstacle(routing({ enabled: false, presence: 'offline' }))).toBe('disabled');
    expect(obstacle(routing({ lines: [] }))).toBe('no_line');
    expect(obstacle(routing({ presence: 'away', availability: 'paused' }))).toBe('away');
    expect(obstacle(routing({ availability: 'paused' }))).toBe('paused');
    expect(obstacle(routing({ lines: [line({ rejected_by: 'at_capacity' })] }))).toBe('at_capacity');
    expect(obstacle(routing({ lines: [line({ open: false }), line({ enabled: false })] }))).toBe('closed');
    expect(obstacle(routing())).toBe('nothing_waits');
    expect(obstacle(routing({ lines: [line({ waiting: 2, rejected_by: 'missing_skill' })] }))).toBe(null);
  });
  it('is said of each line', () => {
    expect(lineSentence(line())).toBe('nothing-line-next');
    expect(lineSentence(line({ free_before: 2 }))).toBe('nothing-line-turn');
    expect(lineSentence(line({ rejected_by: 'language' }))).toBe('nothing-line-rejected');
    expect(lineSentence(line({ rejected_by: 'language', open: false }))).toBe('nothing-line-closed');
    expect(lineSentence(line({ enabled: false, open: false }))).toBe('nothing-line-disabled');
  });
});
