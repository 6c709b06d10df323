/** 1C: an exchange is set up in the app, then orders come as 1C sends them, and are deals. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signIn } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { oneC, order } from './support/onec.mjs';
import { startServer } from './support/server.mjs';

const admin = { email: 'olga@example.com', name: 'Olga Lind', password: 'orders instead of mails' };
let server, browser, api, desk, url, password;

before(async () => {
  server = await startServer({ env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
  browser = await startBrowser();
  await fetch(server.url + '/api/v1/setup', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      token: new URL(server.setupLink).searchParams.get('token'),
      admin,
      line_name: 'Sales',
      site_origin: '*',
    }),
  });
  api = await signIn(server.url, admin);
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, admin);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('an exchange is set up, shows its password once, and waits for 1C', async () => {
  const { page } = desk;
  await page.goto(`${server.url}/admin/1c`);
  await page.getByText('No exchange with 1C yet').waitFor();
  await spotless(page, 'no exchanges');
  await page.getByRole('link', { name: 'New exchange' }).click();
  const main = page.locator('#main');
  await main.getByLabel('Name').fill('Warehouse');
  await main.getByLabel('Title of a deal').fill('Order {number} of {date}');
  await spotless(page, 'a new exchange');
  await main.getByRole('button', { name: 'Create' }).click();
  password = await main.getByRole('region', { name: 'Password' }).textContent();
  url = await main.getByRole('region', { name: 'Address of the site' }).textContent();
  assert.match(password, /^[0-9a-f]{64}$/);
  await main.getByText('1C has not signed in yet').waitFor();
  await page.reload();
  await main.getByRole('region', { name: 'Address of the site' }).waitFor();
  assert.equal(await main.getByRole('region', { name: 'Password' }).count(), 0);
});

test('what 1C sends shows at once: files with their outcome, deals with their order', async () => {
  const { page } = desk;
  const main = page.locator('#main');
  const one = await oneC(url, password);
  await main.getByText('1C last signed in on').waitFor();
  const sent = [order('42', '23 000,50', { status: 'Принят' }), order('43', 'сто', {}), order('44', '100', {})];
  assert.match(await one.exchange('orders.xml', sent.join('')), /^success/);
  const row = main.getByRole('row', { name: /orders\.xml/ });
  await row.getByText(/New: .*2.*, changed: .*0/).waitFor();
  await row.getByRole('button', { name: /1.* not taken/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Not taken' });
  await dialog.getByText('Сумма is no amount: сто').waitFor();
  await spotless(page, 'what was not taken');
  await dialog.getByRole('button', { name: 'Close' }).last().click();

  // The statuses orders were in are offered for the mapping.
  await page.reload();
  await main.getByRole('button', { name: /Принят/ }).click();
  await main.getByLabel('Stage', { exact: true }).selectOption({ index: 2 });
  await main.getByRole('button', { name: 'Save' }).click();
  await until('the mapping is kept', async () => {
    const { items } = await api.get('/commerce-exchanges');
    return Object.keys(items[0].options.stages).join() === 'Принят';
  });

  const { items } = await api.get('/deals');
  const deal = items.find((one) => one.title === 'Order 42 of 20.11.2026');
  assert.equal(deal.amount, '23000.50');
  await page.goto(`${server.url}/deals/${deal.id}`);
  await main.getByRole('heading', { name: /Order .*42.* in 1C/ }).waitFor();
  await main.getByText('Чайник').waitFor();
  await spotless(page, 'a deal that is an order');
  await one.exchange('orders.xml', order('42', '23 000,50', { status: 'Принят', cancelled: true }));
  await main.getByText('Cancelled', { exact: true }).waitFor();
  await main.locator('.notice').getByText('Cancelled in 1C').waitFor();
});
