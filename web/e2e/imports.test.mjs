/** A table with wrong rows goes in by the browser: recognised, mapped, checked, taken in, taken back; and out again. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startServer } from './support/server.mjs';
import { boss, openShop } from './support/shop.mjs';

const TABLE =
  'Name;Phone;E-mail;Budget\r\n' +
  'Nora Import;+7 900 123-45-67;nora@import.example;100\r\n' +
  'Rounded;7,90E+10;rounded@import.example;200\r\n' +
  '=HYPERLINK("x");;formula@import.example;300\r\n' +
  ';;;400\r\n';

let server, browser, page;

before(async () => {
  server = await startServer({ env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
  await openShop(server);
  browser = await startBrowser();
  page = await openWindow(browser);
  await operator(page).signIn(server.url, boss);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const count = (key) => page.locator(`[data-count=${key}]`).innerText();
const counted = (created, failed) =>
  until(`${created} made, ${failed} wrong`, async () => {
    const seen = `${await count('created')}, ${await count('failed')}`;
    return seen === `${created}, ${failed}` || seen;
  });

test('a file is recognised and its rows are shown under what they fill', async () => {
  const file = join(tmpdir(), `switchboard-import-${process.pid}.csv`);
  await writeFile(file, TABLE);
  await page.goto(`${server.url}/imports`);
  await page.getByText('Nothing was imported yet').waitFor();
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('heading', { name: 'What the columns are' }).waitFor();
  assert.equal(await page.getByLabel('What “\u2068Phone\u2069” is').inputValue(), 'contact.phone');
  await page.getByText(/A spreadsheet has rounded this number/).waitFor();
  await page.getByLabel('What “\u2068Budget\u2069” is').selectOption({ label: 'Own field “\u2068Budget\u2069”' });
  await page.getByText('One column is left out.').waitFor({ state: 'detached' });
  await spotless(page, 'a file before it is taken in');
});

test('the check lists the wrong rows and writes nothing', async () => {
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByRole('heading', { name: 'What would happen' }).waitFor();
  await page.getByRole('heading', { name: 'Wrong rows' }).waitFor();
  await counted('2', '2');
  await page.getByRole('row').filter({ hasText: '7,90E+10' }).filter({ hasText: 'Phone' }).first().waitFor();
  await spotless(page, 'a checked file');
});

test('the good rows go in, and can be taken back', async () => {
  await page.getByRole('button', { name: /Take .*2.* rows in/ }).click();
  await page.getByRole('heading', { name: 'What happened' }).waitFor();
  await counted('2', '2');
  const imported = page.url();
  await page.goto(`${server.url}/leads?q=Nora`);
  await page.getByRole('link', { name: /Nora Import/ }).waitFor();

  await page.getByRole('button', { name: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'CSV' }).click(),
  ]);
  const text = await readFile(await download.path(), 'utf8');
  assert.match(text, /Nora Import/);
  assert.equal(text.trim().split('\n').length, 2, 'narrowed as the list is');

  await page.goto(imported);
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('heading', { name: 'What was taken back' }).waitFor();
  await page.waitForFunction(() => document.querySelector('[data-count=removed]')?.textContent === '4');
  await page.goto(`${server.url}/leads?q=Nora`);
  await page.getByText('Nothing found').waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a file of deals is known for one, its wrong cells are named, and its deal stands on the board', async () => {
  const file = join(tmpdir(), `switchboard-deals-${process.pid}.csv`);
  await writeFile(
    file,
    'Deal ID;Deal Name;Amount;Currency;Deal Stage;Contact;E-mail\r\n' +
      '71;Forty pendant lamps;1 500,50;EUR;Offer sent;Nora Import;nora@import.example\r\n' +
      '72;A chandelier;1.500;EUR;Nowhere;;\r\n',
  );
  await page.goto(`${server.url}/imports`);
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('heading', { name: 'What the columns are' }).waitFor();
  assert.equal(await page.getByLabel('Each row is').inputValue(), 'deals');
  assert.equal(await page.getByLabel('What “\u2068Deal ID\u2069” is').inputValue(), 'deal.external_id');
  await page.getByLabel('Webhooks and CRMs').uncheck();
  await page.getByText('The import tells nobody outside.').waitFor();
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await counted('1', '1');
  await page.getByRole('row').filter({ hasText: 'Nowhere' }).filter({ hasText: 'no such stage' }).first().waitFor();
  await page.getByRole('row').filter({ hasText: '1.500' }).filter({ hasText: 'No amount' }).first().waitFor();
  await spotless(page, 'a checked file of deals');
  await page.getByRole('button', { name: /Take .*1.* row in/ }).click();
  await page.getByRole('heading', { name: 'What happened' }).waitFor();
  await page.goto(`${server.url}/deals`);
  await page.getByText('Forty pendant lamps').first().waitFor();
  assert.deepEqual(page.complaints, []);
});
