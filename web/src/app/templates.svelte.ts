import type { Template } from '../api/types';
import { fetchAll } from './loader.svelte';

/** Templates the reader may use: read when they are first needed, and again after a while. */
const FRESH_MS = 60_000;

let items = $state.raw<Template[]>([]);
let readAt = 0;

export function templates(): Template[] {
  return items;
}

export async function loadTemplates(force = false): Promise<void> {
  if (!force && Date.now() - readAt < FRESH_MS) return;
  readAt = Date.now();
  try {
    items = await fetchAll<Template>('/templates');
  } catch {
    // Those that are known stay; the next look tries again.
    readAt = 0;
  }
}
