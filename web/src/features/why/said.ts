/**
 * What a decision comes to, as keys of the texts: which sentence says it, and why nobody could take it. Pure; whoever
 * shows it puts names and words in.
 */
import type { OperatorRouting, RoutingDecision } from '../../api/types';

/** The sentence of a decision: `why-said-…`, to be filled with `name`. */
export function sentenceOf(d: Pick<RoutingDecision, 'outcome' | 'algorithm' | 'trigger' | 'operator_id'>): string {
  if (d.outcome === 'assigned') {
    const known = ['strict', 'even', 'least_loaded', 'all', 'sticky'];
    return `why-said-${known.includes(d.algorithm) ? d.algorithm : 'hand'}`;
  }
  if (d.outcome === 'waiting') {
    if (d.trigger === 'return') return 'why-said-return';
    if (d.trigger === 'no_reply') return 'why-said-no_reply';
    if (d.trigger === 'owner_left') return 'why-said-owner_left';
    return d.algorithm === 'sticky' ? 'why-said-kept' : 'why-said-nobody';
  }
  return `why-said-${d.outcome}`;
}

/** How many were rejected by each check, the most frequent first. */
export function rejections(candidates: RoutingDecision['candidates']): { reason: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const c of candidates) if (c.rejected_by) counts.set(c.rejected_by, (counts.get(c.rejected_by) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
}

/** What keeps somebody from everything, the first thing first; `null` when they get what comes. */
export function obstacle(r: OperatorRouting): string | null {
  if (!r.enabled) return 'disabled';
  if (r.lines.length === 0) return 'no_line';
  if (r.presence === 'offline') return 'offline';
  if (r.presence === 'away') return 'away';
  if (r.availability === 'paused') return 'paused';
  if (r.availability === 'off') return 'off_shift';
  if (r.lines.every((line) => line.rejected_by === 'at_capacity')) return 'at_capacity';
  if (r.lines.every((line) => !line.enabled || !line.open)) return 'closed';
  if (r.lines.some((line) => !line.rejected_by && line.enabled && line.open && line.waiting > 0)) return null;
  return r.lines.every((line) => line.waiting === 0) ? 'nothing_waits' : null;
}

/** The sentence about one line. */
export function lineSentence(line: OperatorRouting['lines'][number]): string {
  if (!line.enabled) return 'nothing-line-disabled';
  if (!line.open) return 'nothing-line-closed';
  if (line.rejected_by) return 'nothing-line-rejected';
  return line.free_before > 0 ? 'nothing-line-turn' : 'nothing-line-next';
}
