import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Idle, idleLeft } from './idle';

const MINUTE = 60_000;

describe('a window nobody sits at', () => {
  beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));

  function rig(afterMs = 10 * MINUTE) {
    const said: boolean[] = [];
    const host = {
      now: Date.now,
      later: (task: () => void, ms: number) => {
        const timer = setTimeout(task, ms);
        return () => clearTimeout(timer);
      },
    };
    const idle = new Idle(host, (away) => said.push(away));
    idle.start(afterMs);
    return { idle, said };
  }

  it('is away as long after the last touch as was asked for', () => {
    const { idle, said } = rig();
    vi.advanceTimersByTime(9 * MINUTE);
    idle.input();
    vi.advanceTimersByTime(10 * MINUTE - 1);
    expect(said).toEqual([false]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual([false, true]);
  });

  it('is back with the first touch, and says so once', () => {
    const { idle, said } = rig();
    vi.advanceTimersByTime(11 * MINUTE);
    for (let i = 0; i < 100; i++) idle.input();
    expect(said).toEqual([false, true, false]);
    vi.advanceTimersByTime(10 * MINUTE);
    expect(said).toEqual([false, true, false, true]);
  });

  it('is away as soon as a machine wakes up that has slept longer', () => {
    const { said } = rig();
    vi.setSystemTime(Date.now() + 60 * MINUTE);
    vi.runOnlyPendingTimers();
    expect(said).toEqual([false, true]);
  });

  it('keeps one timer however much is typed', () => {
    const { idle } = rig();
    for (let i = 0; i < 100; i++) idle.input();
    expect(vi.getTimerCount()).toBe(1);
    idle.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes another time at once', () => {
    const { idle, said } = rig();
    idle.start(MINUTE);
    vi.advanceTimersByTime(MINUTE);
    expect(said.at(-1)).toBe(true);
  });

  it('does not wait for hours when the clock is set back', () => {
    expect(idleLeft(5_000, 1_000, 2_000)).toBe(2_000);
    expect(idleLeft(5_000, 6_500, 2_000)).toBe(500);
    expect(idleLeft(5_000, 9_000, 2_000)).toBe(0);
  });
});
