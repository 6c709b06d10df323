/**
 * Persian and Arabic digits where a machine reads what is typed: numbers, amounts, telephone numbers, addresses and keys.
 * People type them as their keyboard has them; the field takes them as Latin ones. Words are left as they are written.
 */
const FOREIGN = /[\u0660-\u0669\u06f0-\u06f9\u066b\u066c]/;

/** The same text in Latin digits, the decimal sign as a point, without signs between thousands. */
export function latinDigits(text: string): string {
  if (!FOREIGN.test(text)) return text;
  return text
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(/\u066b/g, '.')
    .replace(/\u066c/g, '');
}

/** A search that is nothing but a number finds what is stored in Latin digits; in words they stay as they are. */
export function latinNumber(query: string): string {
  return /\p{L}/u.test(query) ? query : latinDigits(query);
}

/** Whether machines read what is typed there: by its type, its keyboard, or because it is written from left to right. */
export function readsNumbers(input: HTMLInputElement | HTMLTextAreaElement): boolean {
  return (
    ['number', 'tel', 'email', 'url'].includes(input.type) ||
    ['decimal', 'numeric', 'tel', 'email', 'url'].includes(input.inputMode) ||
    input.getAttribute('dir') === 'ltr'
  );
}

const fieldOf = (event: Event) =>
  event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement ? event.target : null;

/** Listens on the whole page; before the fields themselves, so that they only ever see the digits they can read. */
export function startDigits(page: Document): void {
  page.addEventListener(
    'beforeinput',
    (event) => {
      const field = fieldOf(event);
      // A number field drops signs that it does not know: they must be exchanged before they reach it.
      if (!field || !event.data || event.isComposing || !FOREIGN.test(event.data) || !readsNumbers(field)) return;
      event.preventDefault();
      // The only way that keeps the selection, the undo of the browser and the events of the field.
      page.execCommand('insertText', false, latinDigits(event.data));
    },
    true,
  );
  page.addEventListener(
    'input',
    (event) => {
      const field = fieldOf(event);
      // What came another way: by a paste, by a keyboard that composes.
      if (!field || (event as InputEvent).isComposing || !FOREIGN.test(field.value) || !readsNumbers(field)) return;
      const at = field.selectionStart;
      const before = field.value.length;
      field.value = latinDigits(field.value);
      if (at !== null && document.activeElement === field)
        field.setSelectionRange(at + field.value.length - before, at + field.value.length - before);
    },
    true,
  );
}
