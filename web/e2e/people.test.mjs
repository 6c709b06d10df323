/** One person twice: merged on the card with the direction chosen, found as one, and taken apart again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
let server, browser, api, page, emily, double;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  const line = await api.post('/lines', { name: 'Sales' });
  const form = await api.post('/channels', { kind: 'webform', line_id: line.id, name: 'Callback', settings: {} });
  emily = await api.post('/contacts', { name: 'Emily Carter', phones: ['+442079460018'], tags: ['vip'] });
  double = await api.post('/contacts', { name: 'E. Carter', emails: ['emily@mail.example'] });
  // A form with the phone of one and the address of the other says that they may be the same.
  const sent = await fetch(`${server.url}/f/${form.key}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ name: 'Emily', phone: '+442079460018', email: 'emily@mail.example' }),
  });
  assert.equal(sent.status, 201);
  await api.post('/custom-fields', { object: 'contact', key: 'city', label: 'City', type: 'text' });
  await api.patch(`/contacts/${double.id}`, { fields: { city: 'Bristol' } });
  browser = await startBrowser();
  const desk = operator(await openWindow(browser));
  page = desk.page;
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The card itself; what the contact wrote stands beside it. */
const card = () => page.locator('.side > .panel').first();

test('who may be the same person stands on the card with the reason, and they are merged into the one chosen', async () => {
  await page.goto(`${server.url}/contacts?duplicates=true`);
  await page.getByRole('link', { name: 'E. Carter' }).click();
  const suggestion = page.locator(`[data-suggestion="${emily.id}"]`);
  await suggestion.getByText(/same phone|same e-mail/).waitFor();
  await suggestion.getByRole('button', { name: 'Merge…' }).click();
  const dialog = page.getByRole('dialog');
  // As it opens, the card one came from stays; here it shall be the other.
  await dialog.locator('[data-side=into]').getByText('E. Carter').waitFor();
  await dialog.getByRole('button', { name: 'Swap' }).click();
  await dialog.locator('[data-side=into]').getByText('Emily Carter').waitFor();
  await dialog.getByRole('cell', { name: 'Bristol' }).first().waitFor();
  await spotless(page, 'merge dialog');
  await dialog.getByRole('button', { name: 'Merge', exact: true }).click();
  await page.waitForURL(`**/contacts/${emily.id}`);
  await card().getByText('emily@mail.example').waitFor();
  await page.getByText('Bristol').first().waitFor();
  assert.equal((await api.get('/contacts')).items.length, 1);
});

test('the timeline shows the form and the merge, and narrows to a kind', async () => {
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await timeline
    .locator('[data-kind=merge]')
    .getByText(/E\. Carter.* became part of this contact/)
    .waitFor();
  await timeline.getByRole('button', { name: 'Forms' }).click();
  await timeline.locator('[data-kind=merge]').waitFor({ state: 'hidden' });
  assert.equal(await timeline.locator('[data-kind=form]').count(), 1);
  await timeline.getByRole('button', { name: 'Everything' }).click();
});

test('the merge is undone from the timeline, and both are as they were', async () => {
  await page.locator('[data-kind=merge]').getByRole('button', { name: 'Undo the merge' }).click();
  await page.locator('[data-kind=merge]').getByText('undone').waitFor();
  await card().getByText('emily@mail.example').waitFor({ state: 'hidden' });
  const contact = await api.get(`/contacts/${double.id}`);
  assert.deepEqual(
    [contact.merged_into, contact.emails, contact.fields],
    [null, ['emily@mail.example'], { city: 'Bristol' }],
  );
});

test('what is changed on the card is there for the next who looks, and in the timeline', async () => {
  await page.getByRole('button', { name: 'Edit fields' }).click();
  await page.getByLabel('City').fill('Bath');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('[data-kind=change]').getByText('Bath').waitFor();
  await page.getByLabel('Company').fill('Carter & Sons');
  await page.getByLabel('Company').blur();
  await page.getByRole('link', { name: 'Carter & Sons' }).click();
  await page.getByRole('link', { name: 'Emily Carter' }).waitFor();
  await spotless(page, 'company');
  assert.equal((await api.get('/companies')).items[0].contact_count, 1);
});
