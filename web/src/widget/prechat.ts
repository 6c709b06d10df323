/** The form before the chat, drawn from the channel's fields. What is typed here is a claim, never proof. */
import { h } from './dom';
import type { Strings } from './strings';
import type { Field } from './types';

/** What the visitor filled in, by the names of the fields. */
export type Answers = Record<string, string>;

const CONTACT = ['name', 'email', 'phone'] as const;
const AUTOCOMPLETE: Record<string, string> = { name: 'name', email: 'email', phone: 'tel' };
const TYPES: Record<string, string> = { email: 'email', phone: 'tel', number: 'number', date: 'date' };

/** Which part of the contact a field is, if any: by its mapping, else by its type or name. */
export function part(field: Field): (typeof CONTACT)[number] | undefined {
  const mapped = field.maps_to?.startsWith('contact.') ? field.maps_to.slice(8) : field.maps_to ? '' : undefined;
  return CONTACT.find((name) => (mapped !== undefined ? mapped === name : field.type === name || field.name === name));
}

/** What is wrong with a value, or nothing. */
export function fault(field: Field, value: string, words: Strings): string | undefined {
  if (!value) return field.required ? words.required : undefined;
  if (field.type === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return words.email;
  if (field.type === 'phone' && value.replace(/\D/g, '').length < 5) return words.phone;
  return undefined;
}

/** Whether a field is asked, after what was filled in so far. */
export function asked({ show_when }: Field, values: Record<string, string>): boolean {
  if (!show_when) return true;
  const value = values[show_when.field] ?? '';
  const meets = show_when.is?.length ? show_when.is.includes(value) : !!value;
  return meets !== !!show_when.not;
}

/** What is asked. */
export interface Asking {
  fields: Field[];
  /** it cannot be passed */
  required: boolean;
  /** what the visitor agrees to */
  consent: { text: string; url?: string | null } | null;
  title: 'ask' | 'closed';
}

/** The box to agree with, as a field of its own. */
const CONSENT: Field = { name: 'consent', type: 'checkbox', required: true };

/** The form; `done` hears the answers, or null when the visitor passed. */
export function form(
  { fields: own, required, consent, title }: Asking,
  words: Strings,
  done: (answers: Answers | null) => void,
): HTMLElement {
  const fields = consent ? [...own, { ...CONSENT, label: consent.text }] : own;
  const inputs = fields.map((field, at) => {
    const id = 'f' + at;
    const base = {
      id,
      class: field.type === 'checkbox' ? undefined : 'in',
      name: field.name,
      dir: 'auto',
      required: field.required,
      autocomplete: AUTOCOMPLETE[part(field) ?? ''] ?? 'off',
      placeholder: field.placeholder ?? undefined,
    };
    const options = (field.options ?? []).map((option) =>
      typeof option === 'string' ? { value: option, label: option } : option,
    );
    const input =
      field.type === 'textarea'
        ? h('textarea', { ...base, rows: 3 })
        : field.type === 'select'
          ? h(
              'select',
              { ...base },
              h('option', { value: '' }, '—'),
              ...options.map((o) => h('option', { value: o.value }, o.label ?? o.value)),
            )
          : h('input', { ...base, type: field.type === 'checkbox' ? 'checkbox' : (TYPES[field.type ?? ''] ?? 'text') });
    const error = h('p', { class: 'er', id: id + 'e', hidden: true });
    const label = h('label', { for: id, class: field.type === 'checkbox' ? 'ck' : undefined });
    const name = h('span', { dir: 'auto' }, (field.label || field.name) + (field.required ? ' *' : ''));
    if (consent?.url && /^https?:/.test(consent.url) && field.name === CONSENT.name)
      name.append(' ', h('a', { href: consent.url, target: '_blank', rel: 'noopener noreferrer' }, words.policy));
    label.append(...(field.type === 'checkbox' ? [input, name] : [name, input]));
    const value = () =>
      input instanceof HTMLInputElement && input.type === 'checkbox'
        ? input.checked
          ? 'true'
          : ''
        : input.value.trim();
    const check = () => {
      const wrong = fault(field, value(), words);
      error.textContent = wrong ?? '';
      error.hidden = !wrong;
      input.setAttribute('aria-invalid', String(!!wrong));
      if (wrong) input.setAttribute('aria-describedby', error.id);
      else input.removeAttribute('aria-describedby');
      return !wrong;
    };
    // a complaint goes away as soon as it is no longer true, and does not come before the form is sent
    input.addEventListener('input', () => !error.hidden && check());
    return { field, input, value, check, row: h('div', { class: 'f' }, label, error) };
  });

  /** What stands in the fields that are asked; shows those and hides the others. */
  const read = () => {
    const values: Record<string, string> = {};
    for (const { field, value, row } of inputs) {
      row.hidden = !asked(field, values);
      const given = row.hidden ? '' : value();
      if (given) values[field.name] = given;
    }
    return values;
  };
  for (const { input } of inputs) input.addEventListener('change', read);

  const submit = (event: Event) => {
    event.preventDefault();
    read();
    const wrong = inputs.filter((input) => !input.row.hidden && !input.check());
    if (wrong[0]) {
      wrong[0].input.focus();
      return;
    }
    const answers = read();
    done(Object.keys(answers).length ? answers : null);
  };
  read();
  return h(
    'form',
    { class: 'fm', novalidate: true, onsubmit: submit },
    h('h3', {}, words[title]),
    ...inputs.map((input) => input.row),
    h('button', { class: 'go', type: 'submit' }, words.start),
    required ? null : h('button', { class: 'sk', type: 'button', onclick: () => done(null) }, words.skip),
  );
}
