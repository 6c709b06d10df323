/** What a line says by itself, as a visitor on a strange site reads it: welcome, queue, closed, rating. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { openWindow, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const path = (conversation, action) => `/conversations/${conversation}/${action}`;

let server, site, browser, api, line, guest, conversation;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  site = await startSite({ widget: server.url, key: 'shop' });
  const me = await api.get('/me');
  ({ line } = await makeChat(api, { operators: [me.id], origins: [site.origin] }));
  await api.patch(`/lines/${line.id}`, {
    language: 'en',
    welcome_text: 'Hello, {{contact.name}}! This is {{line.name}}.',
    texts: { de: { welcome_text: 'Guten Tag! Hier ist {{line.name}}.' } },
    rating: { enabled: true, text: 'How was it at {{line.name}}?' },
  });
  browser = await startBrowser();
  guest = visitor(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

test('a visitor is greeted at once, and sees the place in the queue while nobody is there', async () => {
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('Is the green lamp still there?');
  await guest.bubble('Hello! This is Support.').waitFor();
  await guest.banner.filter({ hasText: 'You are number 1 in the queue.' }).waitFor();
  assert.equal(await guest.banner.getAttribute('role'), 'status');
  assert.equal(await guest.bubble('This is Support.').count(), 1);
});

test('the place goes away when somebody takes the conversation', async () => {
  await api.put('/me/presence', { state: 'online', ttl_secs: 600 });
  await api.put('/me/availability', { state: 'accepting' });
  await guest.banner.waitFor({ state: 'hidden' });
  conversation = (await api.get('/conversations?view=all')).items[0].id;
  await api.post(path(conversation, 'messages'), { text: 'The last one is in the window.', kind: 'reply' });
  await guest.bubble('The last one is in the window.').waitFor();
  assert.equal(await guest.panel.locator('.rt').count(), 0);
});

test('when it ends the visitor is asked in the words of the line, by keyboard as well, and thanked', async () => {
  await api.post(path(conversation, 'close'));
  const question = guest.panel.getByRole('group', { name: 'How was it at Support?' });
  await question.waitFor();
  await question.getByRole('radio', { name: '3 of 5' }).check();
  await guest.page.keyboard.press('ArrowRight');
  await guest.panel.getByRole('textbox', { name: 'Would you like to add something?' }).fill('Quick and kind');
  await guest.panel.locator('.rt').getByRole('button', { name: 'Send' }).click();
  await guest.panel.getByText('Thank you!').waitFor();
  const { session } = await api.get(`/conversations/${conversation}`);
  assert.equal(session.rating, 4);
  const said = (await api.messages(conversation)).map((message) => message.text);
  assert.ok(said.includes('The visitor rated this conversation 4 of 5: Quick and kind'), said.join('\n'));
});

test('who rated is not asked again on the next page, and a new talk has no question', async () => {
  await guest.page.reload();
  await guest.open();
  await guest.bubble('The last one is in the window.').waitFor();
  await guest.write('One more thing');
  await until('a new session', async () => {
    const { session } = await api.get(`/conversations/${conversation}`);
    return session.state !== 'closed' || session;
  });
  assert.equal(await guest.panel.locator('.rt').count(), 0);
  await api.post(path(conversation, 'messages'), { text: 'Yes?', kind: 'reply' });
  await api.post(path(conversation, 'close'));
  await guest.panel.locator('.rt').getByRole('button', { name: 'Skip' }).click();
  await guest.panel.locator('.rt').waitFor({ state: 'detached' });
  await guest.page.reload();
  await guest.open();
  await guest.bubble('Yes?').waitFor();
  assert.equal(await guest.panel.locator('.rt').count(), 0);
});

test('on a closed line the visitor reads when it opens, once', async () => {
  const soon = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await api.patch(`/lines/${line.id}`, {
    hours: { time_zone: 'UTC', weekly: {}, exceptions: [{ date: soon, intervals: [['09:00', '17:00']] }] },
    off_hours: { action: 'text', text: 'We are closed and open {{opens_at}}.' },
  });
  const other = visitor(await openWindow(browser));
  await other.page.goto(site.origin);
  await other.open();
  await other.write('Anybody there?');
  await other.bubble(/We are closed and open on \w+day at 09:00\./).waitFor();
  await other.write('Hello?');
  await other.bubble('Hello?').getByText('Delivered').waitFor();
  assert.equal(await other.bubble('We are closed').count(), 1);
  assert.deepEqual(other.page.complaints, []);
  await other.page.context().close();
});

test('through all of this no page threw, and no policy was broken', () => {
  assert.deepEqual(guest.page.complaints, []);
});
