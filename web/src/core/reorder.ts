/** Moving one item of a list, and where it goes while it is dragged. Pure. */

export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const next = [...items];
  const [item] = next.splice(from, 1);
  if (item === undefined) return next;
  next.splice(Math.max(0, Math.min(to, next.length)), 0, item);
  return next;
}

/**
 * The place of a dragged row: it passes a neighbour when its middle passes the neighbour's. `rows` are the rows as they
 * lie before the drag, `offset` is how far the dragged one has been moved.
 */
export function placeOf(rows: readonly { top: number; height: number }[], dragged: number, offset: number): number {
  const row = rows[dragged];
  if (!row) return dragged;
  const middle = row.top + row.height / 2 + offset;
  let place = dragged;
  rows.forEach((other, i) => {
    const its = other.top + other.height / 2;
    if (i < dragged && middle < its) place = Math.min(place, i);
    if (i > dragged && middle > its) place = Math.max(place, i);
  });
  return place;
}
