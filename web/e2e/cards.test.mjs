/** Cards that tell everything: tasks in two keys, one timeline for people, companies, leads and deals, what is alike. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
let server, site, browser, api, desk, page, me, firm, zarina, lead, deal;

const tasks = async (query = '') => (await api.get(`/tasks?operator=${me.id}${query}`)).items;
const badge = () => page.locator('nav a[href="/tasks"] .count');

before(async () => {
  server = await startServer({ before: withAdmin(anna), env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
  api = client(server.url, server.prepared.key);
  me = (await api.get('/users')).items.find((user) => user.email === anna.email);
  site = await startSite({ widget: server.url, key: 'shop' });
  const { line } = await makeChat(api, { operators: [me.id], origins: [site.origin] });
  firm = await api.post('/companies', { name: 'Harbour Hotels LLC', website: 'https://harbour.example' });
  const form = await api.post('/channels', { kind: 'webform', line_id: line.id, name: 'Form', settings: {} });
  const response = await fetch(`${server.url}/f/${form.key}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ name: 'Zarina', email: 'zarina@hotel.example', utm_source: 'google' }),
  });
  assert.equal(response.status, 201);
  zarina = (await api.get('/contacts')).items[0];
  await api.patch(`/contacts/${zarina.id}`, { company_id: firm.id });
  lead = (await api.get('/leads')).items[0];
  deal = await api.post('/deals', {
    title: 'Lamps for the lobby',
    amount: '1500',
    contact_id: zarina.id,
    company_id: firm.id,
    lead_id: lead.id,
  });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  page = desk.page;
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

test('two keys in a conversation make a task to call back tomorrow at ten', async () => {
  const guest = visitor(await openWindow(browser));
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('please call me');
  await page.goto(server.url + '/inbox/all');
  await desk.open('please call me');
  const thread = new URL(page.url()).pathname.split('/').at(-1);
  // Its parts are there once the card shows its tasks.
  await page.locator('.card .tasks', { hasText: 'No tasks' }).waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('d');
  await page
    .locator('dialog[open]')
    .getByRole('button', { name: /Tomorrow/ })
    .waitFor();
  await spotless(page, 'a task in two keys');
  await page.keyboard.press('Digit3');
  await page.locator('.card .tasks').getByRole('button', { name: 'Call back' }).waitFor();
  const [task] = await tasks();
  const due = new Date(task.due_at);
  const tomorrow = new Date();
  tomorrow.setDate(tomorrow.getDate() + 1);
  assert.deepEqual([due.getDate(), due.getHours(), due.getMinutes()], [tomorrow.getDate(), 10, 0]);
  assert.deepEqual(task.on, { type: 'conversation', id: thread });
  // Regretted at once it is gone.
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('no task is left', async () => (await tasks()).length === 0);
  await page.locator('.card .tasks').getByRole('button', { name: 'Call back' }).waitFor({ state: 'detached' });
});

test('what is written replaces the usual words, and Enter means tomorrow', async () => {
  await page.keyboard.press('d');
  await page
    .locator('dialog[open]')
    .getByRole('button', { name: /Tomorrow/ })
    .waitFor();
  await page.keyboard.type('Send the price list');
  await page.keyboard.press('Enter');
  await until(
    'the task is made',
    async () => (await tasks()).map((task) => task.title).join() === 'Send the price list',
  );
  await page
    .locator('.card .tasks')
    .getByRole('checkbox', { name: /Send the price list/ })
    .check();
  await until('it is done', async () => (await tasks('&state=done')).length === 1);
});

test('the navigation says how many tasks are overdue or due today, without a reload', async () => {
  await badge().waitFor({ state: 'detached' });
  const made = await api.post('/tasks', {
    title: 'Overdue',
    operator_id: me.id,
    due_at: new Date(Date.now() - 3_600_000).toISOString(),
    on: { type: 'contact', id: zarina.id },
  });
  await badge().filter({ hasText: '1' }).waitFor();
  await badge().getByText('overdue or due today').waitFor({ state: 'attached' });
  // Somebody else's is not counted.
  await api.post('/tasks', { title: 'Of the key', due_at: new Date(Date.now() - 3_600_000).toISOString() });
  await api.patch(`/tasks/${made.id}`, { title: 'Still overdue' });
  await page.goto(`${server.url}/contacts/${zarina.id}`);
  await badge().filter({ hasText: /^1/ }).waitFor();
  await page.getByRole('checkbox', { name: /Still overdue/ }).check();
  await badge().waitFor({ state: 'detached' });
});

test('the card of a contact has tasks about anything of theirs, deals, and both ends of a task in its timeline', async () => {
  await api.post('/tasks', { title: 'About the deal', operator_id: me.id, on: { type: 'deal', id: deal.id } });
  await page.goto(`${server.url}/contacts/${zarina.id}`);
  await page.locator('.side').getByRole('button', { name: 'About the deal' }).waitFor();
  await page
    .locator('.side')
    .getByRole('link', { name: /Lamps for the lobby.*1500/ })
    .waitFor();
  await page
    .locator('.entry[data-kind=task_done]', { hasText: 'Still overdue' })
    .getByText(/Anna Berg/)
    .waitFor();
  await page.locator('.entry[data-kind=task]', { hasText: 'Still overdue' }).waitFor();
  await page.getByRole('group', { name: 'Timeline' }).getByRole('button', { name: 'Tasks' }).click();
  await page.locator('.entry[data-kind=deal]').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.entry:not([data-kind=task]):not([data-kind=task_done])').count(), 0);
  await spotless(page, 'the card of a contact');
});

test('the card of a company tells what happened with its people and deals, and which other may be the same', async () => {
  const double = await api.post('/companies', { name: 'HARBOUR HOTELS', emails: ['info@harbour.example'] });
  const alike = async () => (await api.get(`/companies/${firm.id}/duplicates`)).items;
  await until('the other is found', async () => (await alike()).length === 1);
  await page.goto(`${server.url}/companies/${firm.id}`);
  await page.locator(`[data-duplicate="${double.id}"]`).getByText('same domain · same name').waitFor();
  await page
    .locator('.side')
    .getByRole('link', { name: /Zarina/ })
    .waitFor();
  await page.locator('.entry[data-kind=deal]').getByRole('link', { name: 'Lamps for the lobby' }).waitFor();
  await page.locator('.entry[data-kind=form]').getByRole('link', { name: 'Zarina' }).waitFor();
  await page.locator('.entry[data-kind=lead]').getByText('google').first().waitFor();
  await page.getByRole('button', { name: 'New task' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel(/What is to be done/).fill('Ask for the frame contract');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.locator('.entry[data-kind=task]', { hasText: 'Ask for the frame contract' }).waitFor();
  await spotless(page, 'the card of a company');
});

test('the card of a deal has fields, attribution, the contact, other open deals and its timeline', async () => {
  await api.post('/custom-fields', { object: 'deal', key: 'rooms', label: 'Rooms', type: 'number' });
  const other = await api.post('/deals', { title: 'Lamps, again', contact_id: zarina.id });
  await page.goto(`${server.url}/deals/${deal.id}`);
  await page.locator(`[data-other="${other.id}"]`).getByRole('link', { name: 'Lamps, again' }).waitFor();
  await page.getByText('google').first().waitFor();
  await page.getByRole('link', { name: 'zarina@hotel.example' }).waitFor();
  await page.getByRole('button', { name: 'Edit fields' }).last().waitFor();
  const panel = page.locator('section.panel', { has: page.locator('form') }).first();
  await panel.getByRole('button', { name: 'Edit fields' }).click();
  await panel.getByLabel('Rooms').fill('40');
  await panel.getByRole('button', { name: 'Save' }).click();
  await page.locator('.entry[data-kind=change]', { hasText: 'Rooms' }).getByText('40').waitFor();
  await page.locator('.path').getByRole('button', { name: 'Qualified' }).click();
  await page
    .locator('.entry[data-kind=deal]', { hasText: /moved by .*Anna Berg/ })
    .getByText('Qualified')
    .waitFor();
  await page.locator('.entry[data-kind=form]').waitFor();
  await spotless(page, 'the card of a deal');
});

test('the card of a lead has tags and the same timeline', async () => {
  await page.goto(`${server.url}/leads/${lead.id}`);
  const tags = page.getByRole('textbox', { name: 'Tags' }).first();
  await tags.fill('VIP');
  await tags.press('Enter');
  await until('the tag is kept', async () => (await api.get(`/leads/${lead.id}`)).tags.join() === 'vip');
  await page.locator('.entry[data-kind=change]', { hasText: 'Tags' }).getByText('vip').waitFor();
  await page.locator('.entry[data-kind=deal]').first().waitFor();
  await spotless(page, 'the card of a lead');
});

test('search and the palette find deals, leads and companies', async () => {
  await page.goto(`${server.url}/search?q=lobby`);
  await page.getByRole('heading', { name: 'Deals' }).waitFor();
  await page
    .locator('.hits')
    .getByRole('link', { name: /Lamps for the lobby/ })
    .click();
  await page.waitForURL(`**/deals/${deal.id}`);
  await page.goto(`${server.url}/search?q=harbour`);
  await page.getByRole('heading', { name: 'Companies' }).waitFor();
  await spotless(page, 'search');
  await page.keyboard.press('Control+k');
  await page.locator('dialog[open] input').fill('lobby');
  await page.getByRole('option', { name: /Lamps for the lobby/ }).click();
  await page.waitForURL(`**/deals/${deal.id}`);
  assert.deepEqual(page.complaints, []);
});
