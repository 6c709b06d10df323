/** Fields of the form before the chat, as far as the panel must know them. */
import type { Field } from './types';

/** Fields that can be shown here: a file needs a conversation first, a hidden one has nothing to show. */
export function fields(given: Field[] | null | undefined): Field[] {
  return (given ?? []).filter((field) => field.name && field.type !== 'file' && field.type !== 'hidden');
}
