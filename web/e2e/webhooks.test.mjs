/** Outgoing webhooks: made, tried, failed, repeated in the app, heard by a program that checks signatures; and forms that tell by them. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { signIn } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startServer } from './support/server.mjs';

const admin = { email: 'olga@example.com', name: 'Olga Lind', password: 'hooks instead of mails' };
const heard = [];
let answers = [];
let server, browser, api, desk, program, address, line;

/** As Standard Webhooks says, with nothing of ours. */
function fits(request, secret) {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = request.headers;
  const signed = createHmac('sha256', key).update(`${id}.${at}.${request.raw}`).digest('base64');
  return signatures.split(' ').includes(`v1,${signed}`) && Math.abs(Date.now() / 1000 - Number(at)) < 300;
}

before(async () => {
  program = createServer(async (request, response) => {
    let raw = '';
    for await (const chunk of request) raw += chunk;
    heard.push({ headers: request.headers, raw, body: JSON.parse(raw) });
    response.writeHead(answers.shift() ?? 200).end('heard');
  });
  await new Promise((resolve) => program.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${program.address().port}/in`;
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
  line = (await answer.json()).line;
  api = await signIn(server.url, admin);
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, admin);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  program?.close();
});

let secret;

test('a webhook is made, shows its secret once, and a test arrives signed', async () => {
  const { page } = desk;
  await page.goto(`${server.url}/admin/webhooks`);
  await page.getByText('No webhooks yet').waitFor();
  await spotless(page, 'no webhooks');
  await page.getByRole('link', { name: 'New webhook' }).click();
  await page.getByLabel(/^Address/).fill(address);
  await page.getByLabel('Name').fill('Lamp CRM');
  await page.getByLabel('Leads', { exact: true }).check();
  assert.ok(await page.getByLabel('lead.updated').isChecked());
  await page.getByLabel('lead.updated').uncheck();
  await page.getByRole('button', { name: 'Create' }).click();
  secret = await page.getByRole('region', { name: 'Secret' }).textContent();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  const [made] = (await api.get('/webhooks')).items;
  assert.deepEqual([made.name, made.events, made.secret], ['Lamp CRM', ['lead.created'], null]);
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.locator('tbody tr', { hasText: 'webhook.test' }).getByText('Delivered').waitFor();
  assert.ok(fits(heard[0], secret));
  await spotless(page, 'a webhook');
  await page.reload();
  await page.getByRole('button', { name: 'New secret' }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Secret' }).count(), 0);
  assert.deepEqual(page.complaints, []);
});

test('what was refused says why, what was sent and answered, and goes out again by hand', async () => {
  const { page } = desk;
  heard.length = 0;
  answers = [410];
  await page.getByRole('button', { name: 'Send a test' }).click();
  const notice = page.getByRole('alert').filter({ hasText: 'It answered 410' });
  await notice.waitFor();
  await page.getByText(/The webhook .*Lamp CRM.* was switched off/).waitFor();
  await page.goto(`${server.url}/admin/channels`);
  await page.getByText(/The webhook .*Lamp CRM.* was switched off/).waitFor();
  await page.locator('.notice').getByRole('link', { name: 'Open' }).click();
  await notice.getByRole('button', { name: 'Switch on' }).click();
  await notice.waitFor({ state: 'detached' });
  const refused = page.locator('tbody tr', { hasText: 'Given up' });
  await refused.getByRole('button', { name: 'webhook.test' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByText('answered 410').waitFor();
  assert.match(await dialog.getByRole('region', { name: 'What was sent' }).textContent(), /"type": "webhook.test"/);
  await spotless(page, 'a delivery');
  await dialog.getByRole('button', { name: 'Send again' }).click();
  await until('it went out again', async () => heard.length === 2);
  assert.equal(heard[0].headers['webhook-id'], heard[1].headers['webhook-id']);
  await page.locator('tbody tr', { hasText: 'Given up' }).waitFor({ state: 'detached' });
  assert.deepEqual(page.complaints, []);
});

test('a form tells of its submissions by a webhook made in the builder', async () => {
  const form = await api.post('/channels', {
    kind: 'webform',
    key: 'offer',
    line_id: line.id,
    name: 'Offers',
    settings: {
      fields: [
        { name: 'name', label: 'Your name' },
        { name: 'phone', type: 'phone' },
      ],
    },
  });
  const { page } = desk;
  heard.length = 0;
  await page.goto(`${server.url}/admin/channels/${form.id}`);
  const part = page.locator('#form-notifications');
  await part.getByRole('button', { name: 'Webhook', exact: true }).click();
  await part.getByLabel('Or a new address').fill(address);
  await part.getByRole('button', { name: 'Create' }).click();
  const own = await part.getByRole('region', { name: 'Secret of the new webhook' }).textContent();
  await spotless(page, 'notifications in the builder');
  await page.getByRole('button', { name: /^Save/ }).click();
  await until('it is saved', async () => (await api.get(`/channels/${form.id}`)).settings.notifications?.length === 1);
  await fetch(`${server.url}/f/offer`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ name: 'Emily', phone: '+998901234567' }),
  });
  const accepted = () => heard.find((one) => one.body.type === 'submission.accepted');
  await until('the form told of it', async () => Boolean(accepted()));
  assert.ok(fits(accepted(), own));
  assert.deepEqual([accepted().body.data.values.name, accepted().body.data.form.key], ['Emily', 'offer']);
  await page.goto(`${server.url}/submissions`);
  await page.locator('tbody .open').first().click();
  await page.locator('dialog[open]').getByText('Sent', { exact: true }).waitFor();
  await spotless(page, 'a submission with notifications');
  assert.deepEqual(page.complaints, []);
});
