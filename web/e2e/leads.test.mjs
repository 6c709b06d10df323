/**
 * Leads of other services: what was pushed last is shown, each value is told what it is, the lead it would make is
 * seen, and the next push makes it. Pictures go to .artifacts, to be looked at.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { signIn } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startServer } from './support/server.mjs';

const admin = { email: 'olga@example.com', name: 'Olga Lind', password: 'forms instead of mails' };
const pictures = join(import.meta.dirname, '.artifacts');
mkdirSync(pictures, { recursive: true });

let server, browser, api, form, desk;

before(async () => {
  server = await startServer({ env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
  browser = await startBrowser();
  const answer = await fetch(server.url + '/api/v1/setup', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      token: new URL(server.setupLink).searchParams.get('token'),
      admin,
      line_name: 'Sales',
      site_origin: '*',
    }),
  });
  const made = await answer.json();
  api = await signIn(server.url, admin);
  form = await api.post('/channels', {
    kind: 'webform',
    key: 'offer',
    line_id: made.line.id,
    name: 'Offers',
    settings: {
      locale: 'en',
      default_region: 'SE',
      fields: [
        { name: 'name', label: 'Your name', maps_to: 'contact.name' },
        { name: 'phone', label: 'Phone', type: 'phone', maps_to: 'contact.phone' },
        { name: 'topic', label: 'What about?', maps_to: 'lead.fields.topic' },
      ],
    },
  });
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, admin);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const push = (body, headers = {}) =>
  fetch(`${server.url}/hooks/lead/${form.key}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const newest = async () => (await api.get(`/submissions?channel=${form.id}&limit=1`)).items[0];
const HOSTILE = '<img src=x onerror="window.pwned=1">=1+1';
const lead = (id) => ({
  order: { id, total: '49.00' },
  buyer: { given: 'Ann', family: 'Lee', contact: [{ kind: 'mobile', number: '+46 8 123 456 78' }] },
  about: HOSTILE,
});

test('any JSON is mapped from what came last, with the lead it would make beside it', async () => {
  // Nothing of it is understood yet, and it is shown all the same.
  await push(lead(1));
  const { page } = desk;
  await page.goto(`${server.url}/admin/channels/${form.id}`);
  const leads = page.getByTestId('leads');
  await leads.getByText('buyer › contact › 0 › number').waitFor();
  const what = (place) => leads.getByRole('combobox', { name: new RegExp(`${place}.? is$`) });
  await what('buyer › given').selectOption('Your name');
  await what('buyer › family').selectOption('Your name');
  await what('number').selectOption('Phone');
  await what('about').selectOption('What about?');
  await what('order › id').selectOption('Number (the same one is the same lead)');
  const preview = page.getByTestId('lead-preview');
  await preview.getByText('Ann Lee').first().waitFor();
  await preview.getByText('+46812345678').first().waitFor();
  await preview.getByText('lead:mapped:1').waitFor();
  await preview.getByText(HOSTILE).first().waitFor();
  await spotless(page, 'leads of other services');
  await leads.scrollIntoViewIfNeeded();
  await leads.screenshot({ path: join(pictures, 'leads-en-light.png') });
  await page.emulateMedia({ colorScheme: 'dark' });
  await leads.screenshot({ path: join(pictures, 'leads-en-dark.png') });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 844 });
  await leads.screenshot({ path: join(pictures, 'leads-en-phone.png') });
  await page.setViewportSize({ width: 1440, height: 900 });

  const stored = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await page.getByRole('button', { name: /^Save/ }).click();
  assert.equal((await stored).status(), 200);
  assert.equal((await push(lead(2))).status, 201);
  assert.equal((await push(lead(2))).status, 200, 'brought again, it is the same lead');
  const made = await newest();
  assert.deepEqual(made.values, { name: 'Ann Lee', phone: '+46812345678', topic: HOSTILE });
  assert.equal(made.extra['order.total'], '49.00');
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.deepEqual(page.complaints, []);
});

test('a secret typed in the app is asked of who pushes', async () => {
  const { page } = desk;
  await page.goto(`${server.url}/admin/channels/${form.id}`);
  await page.getByLabel('Secret', { exact: true }).fill('of the service');
  const stored = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await page.getByRole('button', { name: /^Save/ }).click();
  assert.equal((await stored).status(), 200);
  const body = JSON.stringify(lead(3));
  assert.equal((await push(body)).status, 401);
  assert.equal((await push(body, { 'X-Api-Key': 'of the service' })).status, 201);
  const tally = JSON.stringify({
    eventType: 'FORM_RESPONSE',
    data: { submissionId: 's1', fields: [{ label: 'Phone', value: '+46812345679' }] },
  });
  const signature = createHmac('sha256', 'of the service').update(tally).digest('base64');
  assert.equal((await push(tally, { 'Tally-Signature': signature })).status, 201);
  assert.equal((await push(tally + ' ', { 'Tally-Signature': signature })).status, 401);
  // It is not read back, and saving something else keeps it.
  await page.reload();
  await page.getByTestId('leads').waitFor();
  assert.equal(await page.getByLabel('Secret', { exact: true }).inputValue(), '');
  await page.getByLabel('Heading').fill('Leads');
  const again = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await page.getByRole('button', { name: /^Save/ }).click();
  assert.equal((await again).status(), 200);
  assert.equal((await push(body)).status, 401);
  await until('the refused push is shown', async () =>
    (await page.getByTestId('leads').getByRole('combobox', { name: 'What came' }).innerText()).includes('Refused'),
  );
});

test('how far visitors come with the form is counted, and shown below it', async () => {
  const hosted = `${server.url}/f/${form.key}`;
  const left = await openWindow(browser);
  await left.goto(hosted);
  await left.getByLabel(/Phone/).fill('+46 8 1');
  await left.goto('about:blank');
  await left.goto(hosted);
  await left.getByLabel(/Your name/).fill('Ann');
  await left.getByLabel(/Phone/).fill('+46 8 123 456 70');
  await left.locator('form button[type=submit]').click();
  await left.getByRole('status').waitFor();
  assert.deepEqual(left.complaints, [], 'the page\u2019s own policy lets it tell');
  await left.context().close();
  await until('it is written down', async () => {
    const { views, starts, completions, left_at } = await api.get(`/channels/${form.id}/use`);
    const seen = JSON.stringify([views, starts, completions, left_at]);
    return seen === JSON.stringify([2, 2, 1, [{ field: 'phone', count: 1 }]]) || seen;
  });
  const { page } = desk;
  await page.goto(`${server.url}/admin/channels/${form.id}`);
  const use = page.getByTestId('form-use');
  await use.getByText('Phone').waitFor();
  await spotless(page, 'how a form is used');
  await use.screenshot({ path: join(pictures, 'form-use.png') });
});
