/** Conversations that ring: an operator accepts by key, declines with a reason, or is too late. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const boris = { email: 'boris@example.com', name: 'Boris Lind', password: 'another lamp, a taller one' };

let server, site, browser, api, line, first, second, guest;
const ids = {};

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  site = await startSite({ widget: server.url, key: 'shop' });
  ids.anna = (await api.get('/users')).items.find((user) => user.email === anna.email).id;
  ids.boris = (await api.post('/users', { ...boris, role: 'operator' })).id;
  ({ line } = await makeChat(api, { operators: [ids.anna, ids.boris], origins: [site.origin] }));
  await api.patch(`/lines/${line.id}`, { acceptance: 'offer', distribution: 'strict', offer_timeout_secs: 600 });
  browser = await startBrowser();
  first = operator(await openWindow(browser));
  await first.signIn(server.url, anna);
  second = operator(await openWindow(browser));
  await second.signIn(server.url, boris);
  await until(
    'both are there',
    async () => (await api.get('/users')).items.filter((user) => user.presence === 'online').length === 2,
  );
  guest = visitor(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

const card = (side, text) => side.page.locator('.offers .card', { hasText: text });

test('it rings for the first operator alone, who declines with a reason, and then for the next', async () => {
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('Is the brass lamp back?');
  await card(first, 'Is the brass lamp back?').waitFor();
  assert.equal(await card(second, 'Is the brass lamp back?').count(), 0);
  await first.page.keyboard.press('Alt+KeyX');
  await first.page.getByLabel(/^Why\?/).fill('I am new to brass');
  await first.page.keyboard.press('Enter');
  await card(first, 'Is the brass lamp back?').waitFor({ state: 'detached' });
  await card(second, 'Is the brass lamp back?').waitFor();
  const [{ id }] = (await api.get('/conversations?view=queue')).items;
  const { items } = await api.get(`/conversations/${id}/routing`);
  assert.equal(items.find((one) => one.trigger === 'decline').reason, 'I am new to brass');
});

test('an offer survives a reload, and a key accepts it, even while typing elsewhere', async () => {
  await second.page.reload();
  await card(second, 'Is the brass lamp back?').waitFor();
  await second.page.goto(server.url + '/search');
  await card(second, 'Is the brass lamp back?').waitFor();
  await second.page.locator('#main input').first().focus();
  await second.page.keyboard.press('Alt+KeyA');
  await second.page.waitForURL('**/inbox/mine/*');
  await second.box.waitFor();
  await second.write('It is, since this morning.');
  await guest.bubble('It is, since this morning.').waitFor();
  assert.equal(await card(second, 'brass').count(), 0);
});

test('what is offered to all goes to the first who accepts, and the others stop ringing', async () => {
  await api.patch(`/lines/${line.id}`, { distribution: 'all' });
  const other = visitor(await openWindow(browser));
  await other.page.goto(site.origin);
  await other.open();
  await other.write('Who will answer me?');
  await card(first, 'Who will answer me?').waitFor();
  await card(second, 'Who will answer me?').getByText('All who are free are asked').waitFor();
  await card(second, 'Who will answer me?')
    .getByRole('button', { name: /Accept/ })
    .click();
  await card(first, 'Who will answer me?').waitFor({ state: 'detached' });
  const { items } = await api.get('/conversations?view=all');
  const found = items.find((one) => one.last_message.text === 'Who will answer me?');
  assert.deepEqual([found.session.state, found.session.operator_id], ['assigned', ids.boris]);
});

test('a card goes when its time is up, and comes back in the next round', async () => {
  await api.patch(`/lines/${line.id}`, { distribution: 'strict', offer_timeout_secs: 2 });
  await api.put(`/users/${ids.boris}/availability`, { state: 'paused' });
  const late = visitor(await openWindow(browser));
  await late.page.goto(site.origin);
  await late.open();
  await late.write('Nobody seems to hear me');
  await card(first, 'Nobody seems to hear me').waitFor();
  await card(first, 'Nobody seems to hear me').waitFor({ state: 'detached' });
  await card(first, 'Nobody seems to hear me').waitFor();
  await first.page.keyboard.press('Alt+KeyA');
  await first.page.waitForURL('**/inbox/mine/*');
});

test('neither window complained', () => {
  assert.deepEqual([...first.page.complaints, ...second.page.complaints, ...guest.page.complaints], []);
});
