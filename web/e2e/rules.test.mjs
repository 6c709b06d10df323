/** Every rule of a line that the editor shows is saved as it was set, and what counts toward the load holds at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat, signIn } from './support/api.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const boris = { email: 'boris@example.com', name: 'Boris Orlov', password: 'a lamp in the cellar' };

let server, site, browser, api, line, other, page, his;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  site = await startSite({ widget: server.url, key: 'shop' });
  const { id } = await api.post('/users', { ...boris, role: 'operator', capacity: 1 });
  ({ line } = await makeChat(api, { operators: [id], origins: [site.origin] }));
  other = await api.post('/lines', { name: 'Evening', queue: [{ operator_id: id }] });
  his = await signIn(server.url, boris);
  browser = await startBrowser();
  const desk = operator(await openWindow(browser));
  page = desk.page;
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

/** Fills a field as a person does: what it holds counts when they leave it. */
async function fill(label, value) {
  await page.getByLabel(label).fill(value);
  await page.getByLabel(label).blur();
}
async function save() {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved', { exact: true }).first().waitFor();
}

test('each rule of the editor reaches the line', async () => {
  await page.goto(`${server.url}/admin/lines/${line.id}`);
  await page.getByRole('radio', { name: /^The operator accepts/ }).check();
  await fill(/^Time to accept/, '45');
  await page.getByRole('radio', { name: /^Strictly in order/ }).check();
  await fill(/^Limit per operator/, '3');
  await page.getByRole('checkbox', { name: /^Operators may take/ }).uncheck();
  await fill(/^Kept for them for/, '20');
  await page.getByRole('checkbox', { name: /^Assign while offline/ }).check();
  await page.getByRole('checkbox', { name: /^Only operators who speak/ }).check();
  await page.getByLabel(/^Required skills/).fill('lamps');
  await page.keyboard.press('Enter');
  await fill(/^First answer promised/, '2');
  await fill(/^Later answers promised/, '10');
  await fill(/^Back to the queue without a reply/, '15');
  await fill(/^Time to come back/, '3');
  await page.getByLabel(/^Overflow line/).selectOption('Evening');
  await fill(/^Move there after/, '7');
  await fill(/^Close when the client is silent/, '60');
  await fill(/^When nobody answers within/, '20');
  await page.getByRole('checkbox', { name: /^Ask for a rating/ }).check();
  await save();
  const saved = await api.get(`/lines/${line.id}`);
  const rules = {
    acceptance: 'offer',
    offer_timeout_secs: 45,
    distribution: 'strict',
    limit_per_operator: 3,
    may_pull: false,
    sticky: { enabled: true, grace_secs: 20 },
    assign_when_offline: true,
    match_language: true,
    required_skills: ['lamps'],
    sla: { first_reply_secs: 120, next_reply_secs: 600 },
    return_after_secs: 900,
    leave_grace_secs: 180,
    overflow: { line_id: other.id, after_secs: 420 },
  };
  for (const [name, value] of Object.entries(rules)) assert.deepEqual(saved[name], value, name);
  assert.equal(saved.auto_close.after_secs, 3600);
  assert.equal(saved.no_answer.after_secs, 1200);
  assert.equal(saved.rating.enabled, true);
  assert.equal(saved.version, line.version + 1);
  // The editor shows the same after a reload.
  await page.reload();
  assert.equal(await page.getByLabel(/^First answer promised/).inputValue(), '2');
  assert.equal(await page.getByRole('checkbox', { name: /^Operators may take/ }).isChecked(), false);
  assert.deepEqual(page.complaints, []);
});

test('where the queue gives, an operator is told so and can write notes alone', async () => {
  const guest = visitor(await openWindow(browser));
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('Is the brass one still there?');
  const desk = operator(await openWindow(browser));
  await desk.signIn(server.url, boris);
  await desk.page.goto(`${server.url}/inbox/queue`);
  await desk.open('Is the brass one still there?');
  await desk.page.getByText('The queue gives this conversation.').first().waitFor();
  assert.equal(await desk.page.getByRole('button', { name: 'Take', exact: true }).count(), 0);
  assert.equal(await desk.page.getByRole('button', { name: 'Reply', exact: true }).isDisabled(), true);
  assert.deepEqual([...desk.page.complaints, ...guest.page.complaints], []);
  await desk.page.context().close();
  await guest.page.context().close();
});

test('a lighter weight makes room at once for who waits', async () => {
  await api.patch(`/lines/${line.id}`, {
    acceptance: 'automatic',
    required_skills: [],
    match_language: false,
    limit_per_operator: null,
    assign_when_offline: false,
  });
  await his.put('/me/presence', { state: 'online', ttl_secs: 3600 });
  await his.put('/me/availability', { state: 'accepting' });
  const guest = visitor(await openWindow(browser));
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('And the silver one?');
  const owned = async (count) => {
    const { items } = await api.get('/conversations?view=all');
    return items.filter((one) => one.session.state === 'assigned').length === count;
  };
  await until('one conversation is his', () => owned(1));
  await page.goto(`${server.url}/admin/capacity`);
  await fill(/^Web chat/, '0.5');
  await fill(/^A conversation that waits for the client counts for/, '10');
  await save();
  const counting = await api.get('/routing/counting');
  assert.equal(counting.weights.webchat, 0.5);
  assert.equal(counting.client_wait_secs, 600);
  await until('both conversations are his', () => owned(2));
  await fill(/^Web chat/, '-1');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  assert.equal(await page.getByLabel(/^Web chat/).evaluate((input) => input.validity.rangeUnderflow), true);
  assert.deepEqual([...page.complaints, ...guest.page.complaints], []);
  await guest.page.context().close();
});
