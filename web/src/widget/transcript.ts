/** Sending the chat that ended to its visitor: a button, and the address once it is pressed. */
import { h } from './dom';
import type { Strings } from './strings';

/** `email` is what is known. `send` answers why it was not sent, or nothing. */
export function transcript(email: string, words: Strings, send: (email: string) => Promise<string>): HTMLElement {
  const field = h('input', {
    class: 'in',
    type: 'email',
    autocomplete: 'email',
    dir: 'ltr',
    value: email,
    placeholder: words.address,
    'aria-label': words.address,
  });
  const go = h('button', { class: 'go', type: 'submit' }, words.send);
  const wrong = h('p', { class: 'er', role: 'alert' });
  const rest = h('div', { hidden: true }, field, wrong, go);
  const ask = h(
    'button',
    {
      class: 'sk',
      type: 'button',
      'aria-expanded': 'false',
      onclick: () => {
        rest.hidden = !rest.hidden;
        ask.setAttribute('aria-expanded', String(!rest.hidden));
        if (!rest.hidden) field.focus();
      },
    },
    words.copy,
  );
  return h(
    'form',
    {
      class: 'rt',
      novalidate: true,
      onsubmit: (event: Event) => {
        event.preventDefault();
        const given = field.value.trim();
        wrong.textContent = /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(given) ? '' : words.email;
        if (wrong.textContent) return field.focus();
        go.disabled = true;
        void send(given).then((why) => {
          go.disabled = false;
          wrong.textContent = why;
        });
      },
    },
    ask,
    rest,
  );
}
