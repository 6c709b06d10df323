/** A mail to several is answered to all, with a template and a signature, by keyboard; and passed on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { mailbox } from './support/mail.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const shop = mailbox('shop', 'example.test');
const [ivan, olga, expert] = ['ivan', 'olga', 'expert'].map((name) => mailbox(name, 'client.test'));

let server, browser, api, desk;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  const me = (await api.get('/users')).items.find((user) => user.email === anna.email);
  const line = await api.post('/lines', {
    name: 'Support',
    queue: [{ operator_id: me.id }],
    signature: '{{line.name}} of the lamp shop',
  });
  await api.post('/channels', { kind: 'email', line_id: line.id, name: 'Mail', settings: shop.settings() });
  const template = (name, shortcut, body) => api.post('/templates', { scope: 'shared', name, shortcut, body });
  await template('Delivery time', 'delivery', 'Dear {{contact.name}}, delivery takes two days.');
  await template('Returns', 'returns', 'You can return it within 30 days.');
  await shop.receive(
    `From: Ivan Petrov <${ivan.address}>\nTo: ${shop.address}\nCc: Olga <${olga.address}>\nSubject: Order 7\n` +
      `Message-ID: <first-${ivan.address}>\nDate: Mon, 05 Jan 2026 10:00:00 +0500\n` +
      'Content-Type: text/plain; charset=utf-8\n\nWhen does it come?\n',
  );
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const section = (name) => desk.page.locator('.composer').getByRole('group', { name });

test('the signature is written once, in the profile', async () => {
  await desk.page.goto(server.url + '/profile');
  const field = desk.page.getByRole('textbox', { name: 'Your signature' });
  await field.fill('Yours, {{operator.name}}');
  await desk.page.locator('form', { has: field }).getByRole('button', { name: 'Save' }).click();
  await desk.page.getByText('Saved').waitFor();
});

test('a key answers to all, a stroke finds a template, and a reload keeps everything', async () => {
  const { page } = desk;
  await page.goto(server.url + '/inbox/all');
  await desk.open('Ivan Petrov');
  await section('Signature').getByText('Yours, Anna Berg').waitFor();
  await page.getByRole('log').focus();
  await page.keyboard.press('a');
  await page.getByRole('button', { name: 'Reply all', pressed: true }).waitFor();
  await page.locator('.summary', { hasText: 'Cc Olga' }).waitFor();
  await desk.box.pressSequentially('/');
  const options = page.getByRole('listbox', { name: 'Templates' }).getByRole('option');
  await until('both templates', async () => (await options.count()) === 2 || options.count());
  await page.keyboard.press('ArrowDown');
  assert.equal(await options.nth(1).getAttribute('aria-selected'), 'true');
  await page.keyboard.press('Escape');
  await options.first().waitFor({ state: 'detached' });
  await page.keyboard.press('Backspace');
  await desk.box.pressSequentially('/deliv');
  await page.getByText('Dear Ivan Petrov, delivery takes two days.').waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await desk.box.inputValue(), 'Dear Ivan Petrov, delivery takes two days.');
  await desk.box.pressSequentially(' It is ');
  await page.keyboard.press('Control+b');
  await desk.box.pressSequentially('free');
  assert.match(await desk.box.inputValue(), /It is \*\*free\*\*$/);
  await page.reload();
  await desk.box.waitFor();
  assert.match(await desk.box.inputValue(), /It is \*\*free\*\*$/);
  await page.getByRole('button', { name: 'Reply all', pressed: true }).waitFor();
});

test('everybody gets it once, formatted and signed, and the mailbox keeps a copy', async () => {
  await desk.page.locator('.summary', { hasText: 'Cc Olga' }).waitFor();
  await desk.box.press('Control+Enter');
  for (const reader of [ivan, olga]) {
    const mails = await reader.mails(1);
    assert.equal(mails.length, 1);
    assert.match(mails[0], new RegExp(`Cc: .*${olga.address}`));
    assert.match(mails[0], /multipart\/alternative/);
    assert.match(mails[0], /delivery takes two days\. It is free/);
    assert.match(mails[0], /<strong>free<\/strong>/);
    assert.match(mails[0], /-- ?(=20)?\r?\nYours, Anna Berg\r?\nSupport of the lamp shop/);
  }
  await until('the copy in the folder for sent mail', async () => (await shop.mails(1, 'Sent')).length === 1);
  assert.equal(await desk.box.inputValue(), '');
  await section('Reply or forward').getByRole('button', { name: 'Reply', exact: true, pressed: true }).waitFor();
});

test('a message is passed on to somebody new with what was said', async () => {
  const { page } = desk;
  await page.getByRole('log').focus();
  await page.keyboard.press('f');
  const to = page.getByRole('combobox', { name: 'To', exact: true });
  await to.pressSequentially('not an address,');
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  await page.keyboard.press('Backspace');
  await to.pressSequentially(expert.address + ',');
  await desk.box.fill('What do you think?');
  await section('Message that is passed on').waitFor();
  await desk.box.press('Control+Enter');
  const [mail] = await expert.mails(1);
  assert.match(mail, /Subject: Fwd: Order 7/);
  assert.match(mail, /Forwarded message/);
  assert.match(mail, /What do you think/);
});

test('the composer of a mail and the list of templates read well to machines', async () => {
  const { page } = desk;
  await page.getByRole('button', { name: 'Reply all' }).click();
  await page.locator('.summary').click();
  await desk.box.fill('');
  await desk.box.pressSequentially('/');
  await page.getByRole('listbox', { name: 'Templates' }).waitFor();
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document.querySelector('.composer'));
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`));
  });
  assert.deepEqual(found, []);
  await desk.box.fill('');
});

test('through all of this no page threw, and no policy was broken', () => {
  assert.deepEqual(desk.page.complaints, []);
});
