import type { Stage } from '../../api/types';

/** Where things go on the board. Pure. */

export interface Box {
  left: number;
  right: number;
}

/** The column under a point, by the columns' places; the nearest one beside them. */
export function columnAt(boxes: readonly Box[], x: number): number {
  const inside = boxes.findIndex((b) => x >= b.left && x < b.right);
  if (inside >= 0) return inside;
  let nearest = -1;
  let least = Infinity;
  boxes.forEach((b, i) => {
    const far = x < b.left ? b.left - x : x - b.right;
    if (far < least) [nearest, least] = [i, far];
  });
  return nearest;
}

/** How far the board scrolls by itself while a card is held near one of its edges. */
export function pull(board: Box, x: number, reach = 48): number {
  if (x < board.left + reach) return -Math.ceil((board.left + reach - x) / 4);
  if (x > board.right - reach) return Math.ceil((x - board.right + reach) / 4);
  return 0;
}

/** The stage a key moves a card to; none when there is no such place, or the key is another one. */
export function stageByKey(stages: readonly Stage[], from: string, key: string, rtl = false): Stage | undefined {
  const at = stages.findIndex((s) => s.id === from);
  if (at < 0) return undefined;
  const forward = rtl ? 'ArrowLeft' : 'ArrowRight';
  const back = rtl ? 'ArrowRight' : 'ArrowLeft';
  const to =
    key === forward ? at + 1 : key === back ? at - 1 : key === 'Home' ? 0 : key === 'End' ? stages.length - 1 : at;
  return to === at ? undefined : stages[to];
}
