/** Threads are split and merged by hand, remote images wait for a word, and the quarantine shows, hands out and tries again. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { mailbox } from './support/mail.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const shop = mailbox('shop', 'example.test');
const [ivan, olga, kate] = ['ivan', 'olga', 'kate'].map((name) => mailbox(name, 'client.test'));
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
/** Nobody can read who wrote this. */
const NOBODYS = 'Subject: nobody wrote this\nMessage-ID: <nobody@client.test>\n\nWords of nobody.\n';

let server, browser, api, desk, pictures;
const asked = [];

const letter = (from, name, id, subject, more, body) =>
  `From: ${name} <${from.address}>\nTo: ${shop.address}\nSubject: ${subject}\nMessage-ID: <${id}-${from.address}>\n` +
  `Date: Mon, 05 Jan 2026 10:00:00 +0500\n${more}\n${body}\n`;
const plain = 'Content-Type: text/plain; charset=utf-8\n';

before(async () => {
  pictures = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { 'content-type': 'image/gif' });
    response.end(PIXEL);
  });
  await new Promise((done) => pictures.listen(0, '127.0.0.1', done));
  const picture = `http://127.0.0.1:${pictures.address().port}/open.gif`;
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  const me = (await api.get('/users')).items.find((user) => user.email === anna.email);
  const line = await api.post('/lines', { name: 'Support', queue: [{ operator_id: me.id }] });
  const settings = { ...shop.settings(), backfill_days: 1, loops: { max_repeats: 1 } };
  await api.post('/channels', { kind: 'email', line_id: line.id, name: 'Mail', settings });
  await shop.receive(letter(ivan, 'Ivan Petrov', 'first', 'Order 7', plain, 'When does it come?'));
  await shop.receive(
    letter(
      ivan,
      'Ivan Petrov',
      'second',
      'Re: Order 7',
      `In-Reply-To: <first-${ivan.address}>\n${plain}`,
      'And what of my other order?',
    ),
  );
  const html = `<p>Look at our <b>new lamps</b>.</p><img alt="lamps" src="${picture}" width="40" height="40">`;
  await shop.receive(letter(olga, 'Olga', 'news', 'Lamps', 'Content-Type: text/html; charset=utf-8\n', html));
  await shop.receive(NOBODYS);
  browser = await startBrowser();
  desk = operator(await openWindow(browser, { acceptDownloads: true }));
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  pictures?.close();
});

test('a mail is split off with what follows it, and merged back in the order of time', async () => {
  const { page } = desk;
  await page.goto(server.url + '/inbox/all');
  await desk.open('Ivan Petrov');
  const second = desk.bubble('my other order');
  await second.waitFor();
  await second.hover();
  await second.getByRole('button', { name: 'Actions for this message' }).click();
  await page.getByRole('menuitem', { name: /Split into a new conversation/ }).click();
  await page.getByText(/Split off: conversation #/).waitFor();
  await desk.bubble('my other order').waitFor();
  await desk.bubble('When does it come?').waitFor({ state: 'detached' });
  await until('two rows of Ivan', async () => (await desk.row('Ivan Petrov').count()) === 2);

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: /Merge into another/ }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByRole('radio').first().check();
  await dialog.getByRole('button', { name: 'Merge', exact: true }).click();
  await page.getByText(/Merged into conversation #/).waitFor();
  await desk.bubble('When does it come?').waitFor();
  await until('both mails in their order', async () => {
    const texts = await desk.texts();
    return texts.length >= 2 && /When does it come/.test(texts[0]) && /my other order/.test(texts[1]) ? true : texts;
  });
  await until('one row of Ivan', async () => (await desk.row('Ivan Petrov').count()) === 1);
});

test('remote images of a mail are loaded by a press and not before', async () => {
  const { page } = desk;
  await page.goto(server.url + '/inbox/all');
  await desk.open('Olga');
  const frame = page.frameLocator('iframe[title="Mail as the sender laid it out"]');
  await frame.getByText('new lamps').waitFor();
  await page.getByText('One remote image is not loaded.').waitFor();
  assert.deepEqual(asked, [], 'nobody is told that the mail was opened');
  await page.getByRole('button', { name: 'Load images' }).click();
  await until('the picture was asked for', () => asked.length > 0);
  await frame.getByRole('img', { name: 'lamps' }).waitFor();
  await page.getByText('One remote image is not loaded.').waitFor({ state: 'detached' });
  assert.deepEqual([...new Set(asked)], ['/open.gif']);
});

test('what nobody could read is seen as it came, handed out byte for byte, and tried again', async () => {
  const { page } = desk;
  await page.goto(server.url + '/quarantine');
  const row = page.locator('tr.quarantined');
  await until('the mail of nobody', async () => (await row.count()) === 1);
  await row.getByText(/who wrote it/).waitFor();
  await row.getByRole('button', { name: 'View' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByText('Words of nobody.').waitFor();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('link', { name: 'Download' }).click(),
  ]);
  assert.equal(await readFile(await download.path(), 'utf8'), NOBODYS.replaceAll('\n', '\r\n'));

  await dialog.getByRole('button', { name: 'Try again' }).click();
  await dialog.getByText(/still not understood/).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await row.getByRole('button', { name: 'Try again' }).count(), 1, 'it can be tried once more');
});

test('what was held back is taken in by a second try and leads to its conversation', async () => {
  const { page } = desk;
  const words = 'The very same words are written here, again and again and again and again.';
  for (const id of ['one', 'two', 'three']) await shop.receive(letter(kate, 'Kate', id, 'Lamp', plain, words));
  await page.goto(server.url + '/quarantine');
  const row = page.locator('tr.quarantined', { hasText: /same|repeat/i }).first();
  await until('a repeat is held', async () => {
    if (await row.count()) return true;
    await page.reload();
    await page.locator('tr.quarantined').first().waitFor();
    return false;
  });
  await row.getByRole('button', { name: 'Try again' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByText('Taken in again', { exact: true }).waitFor();
  await dialog.getByRole('link', { name: 'Open the conversation' }).click();
  await desk.bubble(words).first().waitFor();
});

test('through all of this no page threw, and no policy was broken', () => {
  assert.deepEqual(desk.page.complaints, []);
});
