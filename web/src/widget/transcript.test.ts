// @vitest-environment happy-dom
import { expect, it, vi } from 'vitest';
import words from './strings/en.json';
import { transcript } from './transcript';

it('opens on demand, complains of what is no address, and sends the one that is known', async () => {
  const send = vi.fn(() => Promise.resolve(''));
  const form = transcript('ann@client.example', words, send) as HTMLFormElement;
  document.body.append(form);
  const [ask] = form.querySelectorAll('button');
  const field = form.querySelector('input') as HTMLInputElement;
  const submit = () => form.dispatchEvent(new Event('submit', { cancelable: true }));
  expect(field.closest('div')?.hidden).toBe(true);
  ask?.click();
  expect(field.closest('div')?.hidden).toBe(false);
  expect(ask?.getAttribute('aria-expanded')).toBe('true');
  expect(field.value).toBe('ann@client.example');
  field.value = 'nobody';
  submit();
  expect(form.querySelector('[role=alert]')?.textContent).toBe(words.email);
  expect(send).not.toHaveBeenCalled();
  field.value = ' ann@client.example ';
  submit();
  expect(send).toHaveBeenCalledWith('ann@client.example');
  expect(form.querySelector('[role=alert]')?.textContent).toBe('');
});

it('says why it was not sent, and lets it be tried again', async () => {
  const form = transcript('ann@client.example', words, () => Promise.resolve(words.failed)) as HTMLFormElement;
  form.dispatchEvent(new Event('submit', { cancelable: true }));
  await Promise.resolve();
  await Promise.resolve();
  expect(form.querySelector('[role=alert]')?.textContent).toBe(words.failed);
  expect((form.querySelector('.go') as HTMLButtonElement).disabled).toBe(false);
});
