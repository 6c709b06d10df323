/** Which rows of a list with fixed row height have to exist in the DOM. */
export interface Slice {
  /** First row drawn. */
  start: number;
  /** One past the last row drawn. */
  end: number;
  /** Height of the whole list in px. */
  total: number;
}

export function visibleSlice(scrollTop: number, viewport: number, row: number, count: number, overscan = 6): Slice {
  const first = Math.floor(Math.max(0, scrollTop) / row);
  const last = Math.ceil((Math.max(0, scrollTop) + viewport) / row);
  return {
    start: Math.min(Math.max(0, first - overscan), count),
    end: Math.min(count, last + overscan),
    total: count * row,
  };
}

/** The scroll position that shows row `index` entirely, moving as little as possible. */
export function scrollToShow(index: number, scrollTop: number, viewport: number, row: number): number {
  const top = index * row;
  if (top < scrollTop) return top;
  if (top + row > scrollTop + viewport) return top + row - viewport;
  return scrollTop;
}

/**
 * The order that is shown while the list must not move (pointer over it, or scrolled): rows keep their places and rows
 * that follow the last shown one are appended (paging). `fresh` counts what the live order has for the eye: rows that
 * are not shown yet, and shown ones that have gone above the top row.
 */
export function frozenOrder(shown: readonly string[], live: readonly string[]): { order: string[]; fresh: number } {
  const known = new Set(shown);
  const present = new Set(live);
  const top = shown.find((id) => present.has(id));
  const topIndex = top === undefined ? -1 : live.indexOf(top);
  let lastShown = -1;
  live.forEach((id, index) => {
    if (known.has(id)) lastShown = index;
  });
  const order = [...shown];
  let fresh = 0;
  live.forEach((id, index) => {
    if (index < topIndex) fresh += 1;
    else if (!known.has(id) && index < lastShown) fresh += 1;
    else if (!known.has(id) && index > lastShown) order.push(id);
  });
  return { order, fresh };
}
