import type { Figures } from '../../api/types';

/** A column of the result. */
export interface Column {
  name: string;
  figures: Figures;
}
