/** A Telegram bot in a real browser against a real server: albums, files and buttons. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { TOKEN, startTelegram } from './support/telegram.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
/** One red dot. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==',
  'base64',
);

let server, telegram, browser, desk;

before(async () => {
  telegram = await startTelegram();
  server = await startServer({ before: withAdmin(anna) });
  const api = client(server.url, server.prepared.key);
  const { items } = await api.get('/users');
  const me = items.find((user) => user.email === anna.email);
  await api.patch(`/users/${me.id}`, { capacity: 50 });
  const line = await api.post('/lines', { name: 'Support', queue: [{ operator_id: me.id }] });
  await api.post('/channels', {
    kind: 'telegram',
    line_id: line.id,
    name: 'Shop bot',
    settings: { token: TOKEN, api_url: telegram.url },
  });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await telegram?.stop();
});

const photo = (more = {}) => ({
  photo: [{ file_id: telegram.file(picture), file_unique_id: 'u', width: 5, height: 5, file_size: picture.length }],
  media_group_id: 'album-1',
  ...more,
});

test('a photo album from the bot is one message with its pictures', async () => {
  telegram.write(photo({ caption: 'Which of these three?' }), photo(), photo());
  await desk.open('Which of these three?');
  const album = desk.bubble('Which of these three?');
  await until('three pictures in one message', async () => (await album.locator('img').count()) === 3);
  assert.equal(await desk.page.locator('[role=log] article').count(), 1);
  const shown = () =>
    album.locator('img').evaluateAll((all) => all.filter((one) => one.complete && one.naturalWidth === 5).length === 3);
  await until('the pictures are drawn', shown);
  await album.locator('button.thumb').first().click();
  await desk.page.locator('dialog[open] img').waitFor();
  await desk.page.keyboard.press('Escape');
});

test("the operator's file arrives", async () => {
  await desk.page.locator('.composer input[type=file]').setInputFiles({
    name: 'price list.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('the green one: 40'),
  });
  await desk.page.locator('.composer', { hasText: 'price list.txt' }).waitFor();
  await desk.write('Here is the list');
  const document = () => telegram.sent.find((call) => call.method === 'sendDocument');
  await until('the bot sends the file', () => document() !== undefined);
  assert.equal(
    document().document?.text ?? Object.values(document()).find((one) => one?.text)?.text,
    'the green one: 40',
  );
  assert.equal(document().caption, 'Here is the list');
});

test('buttons stand under an answer, and the phone number can be asked for', async () => {
  const dialog = desk.page.locator('dialog[open]');
  await desk.page.getByRole('button', { name: 'Buttons under the message' }).click();
  await dialog.getByLabel(/^Words on button .?1/).fill('The green one');
  await dialog.getByRole('button', { name: 'Add a button' }).click();
  await dialog.getByLabel(/^Words on button .?2/).fill('The shop');
  await dialog.getByLabel(/^What button .?2/).selectOption('url');
  await dialog.getByLabel(/^Page of button .?2/).fill('shop.example');
  assert.ok(await dialog.getByRole('button', { name: 'Done' }).isDisabled(), 'no address yet');
  await dialog.getByLabel(/^Page of button .?2/).fill('https://shop.example/');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await desk.page.locator('.composer .chip', { hasText: 'The green one' }).waitFor();
  await desk.write('Which one shall I keep for you?');
  const asked = () => telegram.sent.find((call) => call.text === 'Which one shall I keep for you?');
  await until('the bot asks', () => asked() !== undefined);
  const markup = asked().reply_markup;
  const keyboard = (typeof markup === 'string' ? JSON.parse(markup) : markup).inline_keyboard;
  assert.deepEqual(
    keyboard.map(([button]) => [button.text, button.url ?? null]),
    [
      ['The green one', null],
      ['The shop', 'https://shop.example/'],
    ],
  );
  assert.equal(await desk.page.locator('.composer .chip').count(), 0, 'they are for one message');
  await desk.bubble('Which one shall I keep for you?').locator('.chip', { hasText: 'The shop' }).waitFor();

  await desk.page.getByRole('button', { name: 'Buttons under the message' }).click();
  await dialog.getByLabel('Ask for the phone number').check();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await desk.write('May we call you?');
  const call = () => telegram.sent.find((one) => one.text === 'May we call you?');
  await until('the bot asks for the number', () => call() !== undefined);
  const phone = call().reply_markup;
  const rows = (typeof phone === 'string' ? JSON.parse(phone) : phone).keyboard;
  assert.equal(rows[0][0].request_contact, true);
});
