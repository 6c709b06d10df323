/** The question for a rating: five stars, a comment once one is chosen. */
import { h } from './dom';
import { fill, type Strings } from './strings';

/** `question` is the line's own, or ours. `send` answers whether the rating got through; `skip` hears that the visitor does not want to. */
export function rate(
  question: string | null,
  words: Strings,
  send: (score: number, comment: string) => Promise<boolean>,
  skip: () => void,
): HTMLElement {
  let score = 0;
  const comment = h('textarea', {
    class: 'in',
    rows: 2,
    maxlength: 2000,
    dir: 'auto',
    'aria-label': words.comment,
    placeholder: words.comment,
  });
  const go = h('button', { class: 'go', type: 'submit' }, words.send);
  const rest = h('div', { hidden: true }, comment, go);
  const wrong = h('p', { class: 'er', role: 'alert' });
  const star = (n: number) =>
    h(
      'label',
      {},
      h('input', {
        type: 'radio',
        name: 'score',
        value: n,
        'aria-label': fill(words.score, { n }),
        onchange: () => {
          score = n;
          rest.hidden = false;
        },
      }),
      '★',
    );
  const form: HTMLElement = h(
    'form',
    {
      class: 'rt',
      onsubmit: (event: Event) => {
        event.preventDefault();
        go.disabled = true;
        wrong.textContent = '';
        void send(score, comment.value.trim()).then((taken) => {
          go.disabled = false;
          if (!taken) wrong.textContent = words.failed;
          else form.replaceChildren(h('p', { role: 'status' }, words.thanks));
        });
      },
    },
    h('fieldset', {}, h('legend', { dir: 'auto' }, question || words.rate), ...[1, 2, 3, 4, 5].map(star)),
    rest,
    wrong,
    h('button', { class: 'sk', type: 'button', onclick: skip }, words.skip),
  );
  return form;
}
