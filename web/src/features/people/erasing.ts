import type { Erasure, ErasureCounts } from '../../api/types';

/** The states of an erasure, in their order. */
export const STATES: Erasure['state'][] = ['rows', 'mentions', 'files', 'disk', 'done'];

/** What is told before, in this order. */
export const COUNTED = 'conversations messages files calls submissions leads tasks deals_kept'.split(
  ' ',
) as (keyof ErasureCounts)[];
