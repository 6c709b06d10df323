/** What happens to messages after they were written, in a real browser against a real server. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

let server, site, browser, api, desk, guest, bridge, channel;
const calls = [];

/** Pushes to the custom channel, as a bridging program does. */
async function push(path, body) {
  const [id, at, text] = [randomUUID(), Math.floor(Date.now() / 1000), JSON.stringify(body)];
  const key = Buffer.from(secret.slice(6), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${at}.${text}`).digest('base64');
  const answer = await fetch(`${server.url}/hooks/custom/${channel.key}/${path}`, {
    method: 'POST',
    headers: { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` },
    body: text,
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}
const from = { conversation: { external_id: 'room' }, from: { id: 'u1', name: 'Nodira' } };

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  site = await startSite({ widget: server.url, key: 'shop' });
  bridge = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += data));
    request.on('end', () => {
      calls.push(JSON.parse(body));
      response.end(JSON.stringify({ external_id: `x${calls.length}` }));
    });
  });
  await new Promise((ready) => bridge.listen(0, '127.0.0.1', ready));
  const { items } = await api.get('/users');
  const me = items.find((user) => user.email === anna.email);
  await api.patch(`/users/${me.id}`, { capacity: 50 });
  await makeChat(api, { operators: [me.id], origins: [site.origin] });
  const lines = await api.get('/lines');
  channel = await api.post('/channels', {
    kind: 'custom',
    line_id: lines.items[0].id,
    name: 'Pigeon',
    settings: { callback_url: `http://127.0.0.1:${bridge.address().port}/`, secret },
  });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
  guest = visitor(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await site?.close();
  bridge?.close();
  await server?.stop();
});

const bubble = (text) => desk.page.locator('[role=log] article', { hasText: text });

test('what an operator changes and takes back appears to the visitor live', async () => {
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('How much is the lamp?');
  await desk.open('How much is the lamp?');
  await desk.write('It costs 400.');
  await guest.bubble('It costs 400.').waitFor();
  await bubble('It costs 400.').getByRole('button', { name: 'Actions for this message' }).click();
  await desk.page.getByRole('menuitem', { name: 'Edit' }).click();
  const field = desk.page.locator('dialog[open] textarea');
  await field.fill('It costs 40.');
  await desk.page.locator('dialog[open]').getByRole('button', { name: 'Save' }).click();
  await guest.bubble('It costs 40.').getByText('edited').waitFor();
  assert.equal(await guest.bubble('It costs 400.').count(), 0);
  await bubble('It costs 40.').getByRole('button', { name: 'edited' }).click();
  await desk.page.locator('dialog[open]', { hasText: 'It costs 400.' }).waitFor();
  await desk.page.keyboard.press('Escape');
  await desk.page.locator('dialog[open]').waitFor({ state: 'detached' });

  // By key: the arrow up in an empty field edits the last message; Shift M deletes it.
  await desk.box.focus();
  await desk.page.keyboard.press('ArrowUp');
  await desk.page.locator('dialog[open] textarea').waitFor();
  await desk.page.keyboard.press('Escape');
  await desk.page.locator('dialog[open]').waitFor({ state: 'detached' });
  await desk.page.locator('.log').focus();
  await desk.page.keyboard.press('Shift+KeyM');
  await desk.page.locator('dialog[open]').getByRole('button', { name: 'Delete' }).click();
  await guest.bubble('Message deleted').waitFor();
  assert.equal(await guest.bubble('It costs 40.').count(), 0);
  await bubble('It costs 40.').getByText('Deleted').first().waitFor();

  // After a break the visitor is told once more.
  await guest.page.reload();
  await guest.open();
  await guest.bubble('Message deleted').waitFor();
});

test('an answer that names a message is a quotation on both sides', async () => {
  await guest.write('And the green one?');
  await bubble('And the green one?').waitFor();
  await desk.page.locator('.log').focus();
  await desk.page.keyboard.press('KeyQ');
  await desk.page.locator('.composer .about', { hasText: 'And the green one?' }).waitFor();
  await desk.write('Sold out.');
  await guest.bubble('Sold out.').locator('.qt', { hasText: 'And the green one?' }).waitFor();
  await bubble('Sold out.').locator('blockquote', { hasText: 'And the green one?' }).waitFor();
});

test("a customer's edits and deletions are seen as what they are, and an answer is changed there", async () => {
  await push('messages', { id: 'm1', ...from, text: 'I need two lampz' });
  await desk.page.goto(`${server.url}/inbox/all`);
  await desk.open('I need two lampz');
  await push('messages', { id: 'm1', ...from, text: 'I need two lamps', edited: true });
  await bubble('I need two lamps').getByRole('button', { name: 'edited' }).click();
  await desk.page.locator('dialog[open]', { hasText: 'I need two lampz' }).waitFor();
  await desk.page.keyboard.press('Escape');
  await push('messages', { id: 'm2', ...from, text: 'and a dog' });
  await push('messages', { id: 'm2', ...from, deleted: true });
  await bubble('and a dog').getByText('Deleted by the customer').waitFor();
  const struck = await bubble('and a dog')
    .locator('.bubble > p[dir]')
    .evaluate((p) => getComputedStyle(p).textDecorationLine);
  assert.equal(struck, 'line-through');

  await desk.write('Two lamps, rihgt?');
  await until('the program has it', () =>
    calls.some((call) => call.type === 'message.send' && /rihgt/.test(call.text)),
  );
  await desk.page.locator('.log').focus();
  await desk.page.keyboard.press('KeyM');
  await desk.page.locator('dialog[open] textarea').fill('Two lamps, right?');
  await desk.page.keyboard.press('Control+Enter');
  await until('the program changes it', () =>
    calls.some((call) => call.type === 'message.edit' && call.text === 'Two lamps, right?'),
  );
  assert.deepEqual(desk.page.errors ?? [], []);
});

test('an admin makes a bridge: address, secret once, and what came lately', async () => {
  await desk.page.goto(`${server.url}/admin/channels/${channel.id}`);
  await desk.page.getByText(`/hooks/custom/${channel.key}/messages`).waitFor();
  await push('messages', { id: 'm3', ...from, text: 'for the list' });
  const newest = desk.page.locator('section', { hasText: 'What it sent lately' }).locator('li').first();
  await newest.getByText('Stored').waitFor();
  await newest.getByRole('button').click();
  await newest.locator('pre', { hasText: 'm' }).waitFor();
  await desk.page.getByRole('button', { name: 'New secret' }).click();
  await desk.page.getByRole('button', { name: 'New secret' }).click();
  await desk.page.getByText(/whsec_/).waitFor();
  await push('messages', { id: 'm4', ...from, text: 'signed with the old one' });
});
