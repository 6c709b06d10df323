/** What a chart of slots is drawn from: plain numbers in, places on a canvas out. */
export interface Slot {
  at: string;
  arrivals: number;
  waiting: number;
}

/** A round number not below `value`, with at most one digit that is not zero (1, 2, 5, 10, 20 …). */
export function ceiling(value: number): number {
  if (value <= 1) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * size).find((step) => step >= value) ?? value;
}

/** The bars of arrivals: one for each slot. */
export function bars(slots: Slot[], width: number, height: number, top: number) {
  const step = width / Math.max(1, slots.length);
  return slots.map((slot, index) => {
    const size = (slot.arrivals / top) * height;
    return { x: index * step + step * 0.15, y: height - size, width: step * 0.7, height: size };
  });
}

/** Who waits, as the points of a line of steps. */
export function steps(slots: Slot[], width: number, height: number, top: number): string {
  const step = width / Math.max(1, slots.length);
  const place = (value: number) => Math.round(value * 10) / 10;
  return slots
    .flatMap((slot, index) => {
      const y = place(height - (slot.waiting / top) * height);
      return [`${place(index * step)},${y}`, `${place((index + 1) * step)},${y}`];
    })
    .join(' ');
}

/** Better, worse or the same: `lower` says that less is better. */
export function trend(before: number | null, after: number | null, lower: boolean): 'better' | 'worse' | 'same' {
  if (before === null || after === null || Math.abs(before - after) < 1e-9) return 'same';
  return after < before === lower ? 'better' : 'worse';
}
