import { texts } from '../../i18n/i18n.svelte';

/** The timeline and the custom fields with their words, for screens that are not about people. */
export async function timelineParts() {
  const [{ default: Timeline }, { default: Fields }] = await Promise.all([
    import('./Timeline.svelte'),
    import('./Fields.svelte'),
    texts('people'),
  ]);
  return { Timeline, Fields };
}
