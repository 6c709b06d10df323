/** What erasing a person removes, as the server counts it. */
export interface ErasureCounts {
  contacts: number;
  conversations: number;
  messages: number;
  files: number;
  calls: number;
  submissions: number;
  leads: number;
  tasks: number;
  deals_kept: number;
  mentions: number;
}

/** The states of an erasure, in their order. */
export const STATES = ['rows', 'mentions', 'files', 'disk', 'done'] as const;

export interface Erasure {
  id: string;
  contact_id: string;
  state: (typeof STATES)[number];
  counts: ErasureCounts;
  error: string | null;
  operator_id: string | null;
  created_at: string;
  finished_at: string | null;
}

/** What is told before, in this order. */
export const COUNTED = [
  'conversations',
  'messages',
  'files',
  'calls',
  'submissions',
  'leads',
  'tasks',
  'deals_kept',
] as const satisfies (keyof ErasureCounts)[];
