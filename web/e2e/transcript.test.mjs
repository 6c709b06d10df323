/**
 * A chat that ended is sent to its visitor by mail, asked for in the chat or by an operator; and the settings that say
 * so. Pictures go to .artifacts, to be looked at.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = join(import.meta.dirname, '.artifacts');
mkdirSync(pictures, { recursive: true });

let server, site, browser, api, desk, chat;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  const { items } = await api.get('/users');
  const me = items.find((user) => user.email === anna.email);
  await api.patch(`/users/${me.id}`, { capacity: 50 });
  const made = await makeChat(api, { operators: [me.id] });
  chat = made.chat;
  await api.patch(`/lines/${made.line.id}`, { rating: { enabled: true } });
  // Nobody is there: its mails wait, and say so.
  await api.post('/channels', {
    kind: 'email',
    line_id: made.line.id,
    name: 'Mailbox',
    settings: {
      address: 'shop@example.test',
      imap: { host: '127.0.0.1', port: 1, tls: 'none', password: 'x' },
      smtp: { host: '127.0.0.1', port: 1, tls: 'none' },
    },
  });
  site = await startSite({ widget: server.url, key: 'shop' });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

async function passes(page, name) {
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const found = await page.evaluate(async () => {
      const result = await window.axe.run(
        { fromShadowDom: ['switchboard-chat', '.w'] },
        { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
      );
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].any[0]?.message ?? ''}`);
    });
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** A talk that was answered and closed, seen by its visitor. */
async function ended(words, options = {}) {
  const guest = visitor(await openWindow(browser, options));
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write(words);
  await desk.page.goto(server.url + '/inbox/all');
  await desk.open(words);
  await desk.write('Here it is');
  await guest.bubble('Here it is').waitFor();
  await desk.page.getByRole('button', { name: 'Close' }).first().click();
  return guest;
}

const copy = { en: 'Send me a copy by e-mail', ru: 'Отправить мне копию на почту', fa: 'رونوشت را برایم ایمیل کنید' };

for (const [locale, options] of [
  ['en', {}],
  ['ru', { locale: 'ru-RU' }],
  ['fa', { locale: 'fa-IR', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
])
  test(`at the end of a chat its visitor has it sent to them, ${locale}`, async () => {
    const { page, panel } = await ended(`A lamp, ${locale}`, options);
    const ask = panel.getByRole('button', { name: copy[locale] });
    await ask.waitFor();
    await panel.locator('fieldset').waitFor();
    await passes(page, 'offered');
    await page.screenshot({ path: join(pictures, `transcript-${locale}-offered.png`) });
    await ask.click();
    const field = panel.locator('input[type=email]');
    await field.fill('nobody');
    const form = panel.locator('form.rt', { has: page.locator('input[type=email]') });
    await form.locator('button[type=submit]').click();
    await form.getByRole('alert').waitFor();
    await passes(page, 'asked');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: join(pictures, `transcript-${locale}-asked-dark.png`) });
    await page.emulateMedia({ colorScheme: 'light' });
    await field.fill(`ann-${locale}@example.test`);
    await field.press('Enter');
    await panel.locator('.sy', { hasText: `ann-${locale}@example.test` }).waitFor();
    await ask.waitFor({ state: 'detached' });
    await page.screenshot({ path: join(pictures, `transcript-${locale}-sent.png`) });
    // The staff sees what is sent, and that it waits for its mail server.
    const line = desk.page.locator('[role=log] .system', { hasText: `ann-${locale}@example.test` });
    await line.getByTestId('mailed').waitFor();
    assert.deepEqual(page.complaints, []);
    // Asked for once: it is not offered again.
    await page.reload();
    await visitor(page).open();
    await visitor(page).bubble('Here it is').waitFor();
    assert.equal(await panel.getByRole('button', { name: copy[locale] }).count(), 0);
    await page.context().close();
  });

test('an operator sends a transcript, and blocks a pest, in dialogs that are for everybody', async () => {
  const { page } = desk;
  const guest = await ended('A green lamp');
  await page.getByRole('button', { name: 'Transcript…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('E-mail').fill('noreply@example.test');
  await dialog.getByRole('button', { name: 'Send the transcript' }).click();
  await dialog.getByText('nobody reads what is sent there').waitFor();
  await spotless(page, 'sending a transcript');
  await page.screenshot({ path: join(pictures, 'transcript-operator.png') });
  await dialog.getByLabel('E-mail').fill('boss@example.test');
  await dialog.getByRole('button', { name: 'Send the transcript' }).click();
  await page.locator('[role=log] .system', { hasText: 'boss@example.test' }).getByTestId('mailed').waitFor();
  await spotless(page, 'a mail on its way');
  await page.screenshot({ path: join(pictures, 'transcript-operator-line.png') });
  await guest.write('Buy my lamps');
  await page.getByRole('button', { name: 'Block…' }).click();
  await dialog.getByText('Block this visitor?').waitFor();
  await spotless(page, 'blocking a visitor');
  await page.screenshot({ path: join(pictures, 'block.png') });
  await guest.page.context().close();
});

test('the settings of a chat are for everybody', async () => {
  const { page } = desk;
  await page.goto(`${server.url}/admin/channels/${chat.id}`);
  await page.getByLabel(/Answer by e-mail after/).waitFor();
  await spotless(page, 'the settings of a chat');
  await page.screenshot({ path: join(pictures, 'chat-settings.png'), fullPage: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(pictures, 'chat-settings-phone.png'), fullPage: true });
  assert.deepEqual(page.complaints, []);
});
