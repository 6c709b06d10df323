/** From a first mail to money: a lead becomes a deal, and the deal is pulled to where it was won. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
let server, browser, api, desk, stages;

const stage = (name) => stages.find((one) => one.name === name);
const column = (name) => desk.page.locator(`.board section[data-stage="${stage(name).id}"]`);
const card = (name, title) => column(name).locator('[data-deal]', { hasText: title });

before(async () => {
  server = await startServer({ before: withAdmin(anna), env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
  api = client(server.url, server.prepared.key);
  stages = (await api.get('/pipelines')).items[0].stages;
  const line = await api.post('/lines', { name: 'Sales' });
  const form = await api.post('/channels', { kind: 'webform', line_id: line.id, name: 'Form', settings: {} });
  const response = await fetch(`${server.url}/f/${form.key}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ name: 'Zarina', email: 'zarina@hotel.example' }),
  });
  assert.equal(response.status, 201);
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a lead is converted into a deal with its contact and their company', async () => {
  const { page } = desk;
  await page.goto(server.url + '/leads');
  await page.locator('td a', { hasText: 'Zarina' }).click();
  await page.getByRole('button', { name: 'Convert' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel(/^Title/).fill('Lamps for the lobby');
  await dialog.getByLabel('Amount').fill('1 500,50');
  await dialog.getByLabel(/contact.s company/).check();
  await dialog.getByLabel('Company name').fill('Harbour Hotels');
  await dialog.getByRole('button', { name: 'Convert' }).click();
  await page.getByRole('link', { name: 'Open the deal' }).click();
  await page.getByRole('heading', { name: /Lamps for the lobby/ }).waitFor();
  const deal = (await api.get('/deals')).items[0];
  assert.deepEqual([deal.amount, deal.contact_name, deal.company_name], ['1500.50', 'Zarina', 'Harbour Hotels']);
  assert.equal((await api.get('/leads')).items[0].status, 'converted');
});

test('a deal is pulled to the column where it is won, and its totals follow', async () => {
  const { page } = desk;
  await page.goto(server.url + '/deals');
  const from = await card('New', 'Lamps for the lobby').boundingBox();
  await column('Won').scrollIntoViewIfNeeded();
  const to = await column('Won').boundingBox();
  const start = await card('New', 'Lamps for the lobby').boundingBox();
  assert.ok(from && to && start);
  await page.mouse.move(start.x + 20, start.y + start.height - 12);
  await page.mouse.down();
  await page.mouse.move(start.x + 60, start.y + 40, { steps: 4 });
  await page.mouse.move(to.x + to.width / 2, to.y + 120, { steps: 8 });
  await page.mouse.up();
  await card('Won', 'Lamps for the lobby').waitFor();
  await until('it is won', async () => (await api.get('/deals')).items[0].state === 'won');
  assert.equal(new URL(page.url()).pathname, '/deals', 'the end of a pull opens nothing');
  await column('Won').locator('.sums', { hasText: '1,500.50' }).waitFor();
  await column('New').locator('.count', { hasText: '0' }).waitFor();
  await page.reload();
  await card('Won', 'Lamps for the lobby').waitFor();
});

test('the keyboard moves a deal, and a lost one is asked for its reason', async () => {
  const { page } = desk;
  const deal = await api.post('/deals', { title: 'Ten chairs', amount: '300' });
  // made elsewhere, it comes by itself
  await card('New', 'Ten chairs').locator('.handle').focus();
  await page.keyboard.press('ArrowRight');
  await card('Qualified', 'Ten chairs').waitFor();
  await page
    .getByRole('status')
    .filter({ hasText: /Ten chairs.*Qualified.*2.* of .*5/ })
    .waitFor({ state: 'attached' });
  const handle = card('Qualified', 'Ten chairs').locator('.handle');
  await until('the moved card is held again', () => handle.evaluate((one) => one === document.activeElement));
  await page.keyboard.press('End');
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('Too expensive').check();
  await dialog.getByRole('button', { name: 'Mark as lost' }).click();
  await card('Lost', 'Too expensive').waitFor();
  await until('it is lost', async () => (await api.get(`/deals/${deal.id}`)).loss_reason === 'Too expensive');
  await spotless(page, 'the board');
});

test('a task on a deal reminds when its time comes, and shows on the board', async () => {
  const { page } = desk;
  const deal = await api.post('/deals', { title: 'Restaurant terrace' });
  const me = (await api.get('/users')).items.find((user) => user.email === anna.email);
  await page.goto(`${server.url}/deals/${deal.id}`);
  await page.getByRole('button', { name: 'New task' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel(/What is to be done/).fill('Send the offer');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Send the offer' }).waitFor();
  const task = (await api.get(`/tasks?deal=${deal.id}`)).items[0];
  assert.equal(task.operator_id, me.id);
  await api.patch(`/tasks/${task.id}`, { due_at: new Date(Date.now() + 1_500).toISOString() });
  await page.getByText('Reminder: ').waitFor();
  await page.goto(server.url + '/tasks');
  await page.locator('.panel.overdue', { hasText: 'Send the offer' }).waitFor();
  await page.getByRole('checkbox', { name: /Done:.*Send the offer/ }).check();
  await until('it is done', async () => (await api.get(`/tasks/${task.id}`)).done_at !== null);
  await spotless(page, 'the tasks');
});

test('the funnel says how far the deals came', async () => {
  const { page } = desk;
  await page.goto(server.url + '/funnel');
  await page.getByRole('row', { name: /^Won/ }).waitFor();
  const won = page.getByRole('row', { name: /^Won/ });
  assert.match((await won.textContent()) ?? '', /1/);
  assert.deepEqual(page.complaints, []);
  await spotless(page, 'the funnel');
});
