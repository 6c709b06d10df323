/** "What if" in the browser: other people on recorded sessions, arrivals from a file, and a period without any. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openWindow, operator, startBrowser } from './support/browser.mjs';
import { startServer } from './support/server.mjs';
import { boss, openShop } from './support/shop.mjs';

let server, browser, page, shop;

before(async () => {
  server = await startServer({ env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
  shop = await openShop(server);
  browser = await startBrowser();
  page = await openWindow(browser);
  await operator(page).signIn(server.url, boss);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const cell = (row, column) => page.locator('table').first().getByRole('row', { name: row }).locator('td').nth(column);
async function simulate() {
  await page.getByRole('button', { name: 'Simulate', exact: true }).click();
}

test('from a line to figures side by side, with the keyboard at the result', async () => {
  await page.goto(`${server.url}/admin/lines/${shop.line.id}`);
  await page.getByRole('link', { name: 'Simulate changes' }).click();
  await page.getByRole('heading', { name: 'Simulation' }).waitFor();
  await simulate();
  await page.getByRole('heading', { name: 'Result' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'sim-results');
  const came = [0, 1, 2].map((column) => cell(/^Sessions/, column).innerText());
  const [recorded, unchanged, changed] = await Promise.all(came);
  assert.ok(Number(recorded) > 5, recorded);
  assert.deepEqual([unchanged, changed], [recorded, recorded]);
  await page.getByRole('img', { name: /Sessions waiting at once/ }).waitFor();
});

test('offers that nobody answers lapse, and the figures say so', async () => {
  await page.getByLabel('Acceptance').selectOption('offer');
  await page.getByLabel('Time to accept (seconds)').fill('1');
  await page.getByLabel('Offers that are not answered (%)').fill('100');
  await simulate();
  await page.getByRole('row', { name: /^Lapsed/ }).waitFor();
  const [offers, lapsed] = await Promise.all([/^Offers/, /^Lapsed/].map((row) => cell(row, 2).innerText()));
  assert.ok(Number.parseInt(offers, 10) > 0, offers);
  assert.ok(Number.parseInt(lapsed, 10) > 0, lapsed);
  assert.match(await cell(/^Answered\s/, 2).innerText(), /^0/);
  await page.getByText('Who says yes to an offer, and how soon, is drawn.').waitFor();
  await page.getByLabel('Acceptance').selectOption('automatic');
});

test('an operator who is not there answers nobody', async () => {
  await page.getByRole('checkbox', { name: boss.name }).uncheck();
  await page.getByText('Not there').waitFor();
  await simulate();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('tr')].some((row) => /^Answered\s+\d+\s+\d+\s+0/.test(row.innerText)),
  );
  assert.match(await cell(/^Waiting at the end/, 2).innerText(), /\d+\s*worse/);
});

test('days on which nobody came offer a sample, and a file is played', async () => {
  await page.getByLabel('From').fill('2020-01-01');
  await page.getByLabel('To, this day included').fill('2020-01-02');
  await simulate();
  await page.getByRole('heading', { name: 'Nobody came in this period' }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download a sample' }).click(),
  ]);
  await page.getByLabel('Choose a CSV file').setInputFiles(await download.path());
  await page.getByText(/18\S* sessions/).waitFor();
  await page.getByRole('checkbox', { name: boss.name }).check();
  await simulate();
  await page.getByRole('heading', { name: 'Result' }).waitFor();
  assert.equal(await cell(/^Sessions/, 0).innerText(), '18');
  await page
    .getByLabel('Choose a CSV file')
    .setInputFiles({ name: 'bad.csv', mimeType: 'text/csv', buffer: Buffer.from('at\nsoon\n') });
  await page.getByText(/bad\.csv.* cannot be used\. Wrong lines: .*2 \(at\)/).waitFor();
  assert.deepEqual(page.complaints, []);
});
