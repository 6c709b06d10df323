/** From an empty folder to the first lead, with nothing but the printed link. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer } from './support/server.mjs';

const admin = { email: 'mina@example.com', name: 'Mina Rahimi', password: 'first day, first line' };

let server, browser, link, desk, demo, form;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What the signed-in admin gets from the API, by the cookie of the page. */
async function get(path) {
  const response = await desk.page.request.get(server.url + '/api/v1' + path);
  assert.equal(response.status(), 200, path);
  return response.json();
}

test('the first start prints a link, and a wrong one is refused', async () => {
  link = server.setupLink;
  assert.ok(link?.startsWith(server.url + '/setup?token='), String(link));
  await desk.page.goto(server.url + '/setup?token=guessed');
  await desk.page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
});

test('the page makes the admin, the line, the chat and the form, and shows the snippet', async () => {
  const { page } = desk;
  await page.goto(link);
  await page.locator('input[autocomplete=name]').fill(admin.name);
  await page.locator('input[type=email]').fill(admin.email);
  await page.locator('input[type=password]').fill(admin.password);
  await page.getByLabel(/^Name of the line/).fill('Sales');
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('heading', { name: 'Ready' }).waitFor();
  const snippet = await page.locator('pre, code').first().innerText();
  assert.match(snippet, new RegExp(`<script src="${server.url}/widget/v1.js" data-channel="[\\w-]+" async></script>`));
  demo = await page.getByRole('link', { name: /demo page/ }).getAttribute('href');
  form = await page.getByRole('link', { name: /the form/ }).getAttribute('href');
  await page.getByRole('button', { name: 'To the inbox' }).click();
  await page.waitForURL('**/inbox/mine');
  const { items } = await get('/channels');
  assert.deepEqual(items.map((channel) => channel.kind).sort(), ['webchat', 'webform']);
  assert.deepEqual(
    (await get('/lines')).items.map((line) => line.name),
    ['Sales'],
  );
});

test('the link cannot be used twice', async () => {
  const page = await openWindow(browser);
  await page.goto(link);
  await page.getByRole('heading', { name: 'Set-up has been done' }).waitFor();
  const again = await page.request.post(server.url + '/api/v1/setup', {
    data: {
      token: new URL(link).searchParams.get('token'),
      admin: { ...admin, email: 'second@example.com' },
      line_name: 'Second',
    },
  });
  assert.equal(again.status(), 403);
  assert.equal((await get('/users')).items.filter((user) => user.role === 'admin').length, 1);
  await page.context().close();
});

test('the demo page has the widget, and what is written there comes to the admin, who answers', async () => {
  const guest = visitor(await openWindow(browser));
  await guest.page.goto(server.url + demo);
  await guest.open();
  await guest.write('Does this work?');
  await desk.open('Does this work?');
  await desk.write('It does.');
  await guest.bubble('It does.').waitFor();
  assert.deepEqual(guest.page.complaints, []);
  await guest.page.context().close();
});

test('the form works without JavaScript: thanks page, submission, lead and conversation', async () => {
  const page = await openWindow(browser, { javaScriptEnabled: false });
  await page.goto(server.url + form + '?utm_source=poster');
  await page.getByLabel(/Your name/).fill('Iroda Karimova');
  await page.getByLabel(/E-mail/).fill('iroda@example.com');
  // the browser lets this pass; the server does not
  await page.getByLabel(/Phone/).fill('ask the porter');
  await page.getByLabel(/How can we help/).fill('Ten lamps for a hotel');
  await page.locator('form button[type=submit]').click();
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByLabel(/Phone/).getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel(/How can we help/).inputValue(), 'Ten lamps for a hotel');
  assert.equal((await get('/submissions')).items.length, 0);
  await page.getByLabel(/Phone/).fill('+998 90 123 45 67');
  await page.locator('form button[type=submit]').click();
  await page.getByText(/thank/i).first().waitFor();

  const { items: submissions } = await get('/submissions');
  assert.equal(submissions.length, 1);
  assert.equal(submissions[0].values.comment, 'Ten lamps for a hotel');
  const { items: leads } = await get('/leads');
  const lead = leads.find((one) => one.id === submissions[0].lead_id);
  assert.equal(lead?.attribution.first.utm_source, 'poster');
  const conversation = await get('/conversations/' + submissions[0].conversation_id);
  assert.equal(conversation.contact.name, 'Iroda Karimova');
  await desk.row('Iroda Karimova').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('the line ends the conversation of a silent client, in the words the admin chose', async () => {
  const page = await openWindow(browser);
  await operator(page).signIn(server.url, admin);
  const { version } = (await get('/lines')).items[0];
  await page.goto(server.url + '/admin/lines');
  await page.locator('#main').getByRole('link', { name: 'Sales' }).click();
  await page.getByLabel(/^Close when the client is silent/).fill('0.05');
  await page.getByLabel(/^Close when the client is silent/).blur();
  await page.getByLabel(/^Text when the client is silent/).fill('We close this for now. Write any time!');
  await page.getByRole('button', { name: 'Save' }).click();
  // the number stands between marks of direction
  await page.getByText(new RegExp(`^Version \\W?${version + 1}\\b`)).waitFor();
  const { items } = await get('/lines');
  assert.deepEqual(items[0].auto_close, { after_secs: 3, text: 'We close this for now. Write any time!' });

  const guest = visitor(await openWindow(browser));
  await guest.page.goto(server.url + demo);
  await guest.open();
  await guest.write('Until when are you open?');
  await desk.open('Until when are you open?');
  await desk.write('Until six.');
  await guest.bubble('Until six.').waitFor();
  await guest.bubble('We close this for now. Write any time!').waitFor();
  await until('the session is closed', async () => {
    const { items: closed } = await get('/conversations?view=closed');
    return closed.some((one) => one.session.close_reason === 'client_silent') || closed.length;
  });
  await page.getByLabel(/^Close when the client is silent/).fill('');
  await page.getByLabel(/^Close when the client is silent/).blur();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(new RegExp(`^Version \\W?${version + 2}\\b`)).waitFor();
  assert.deepEqual([...page.complaints, ...guest.page.complaints], []);
  await page.context().close();
  await guest.page.context().close();
});

test('whoever was set up signs in again with the password', async () => {
  const again = operator(await openWindow(browser));
  await again.signIn(server.url, admin);
  await until('what nobody answered yet is there, what the line ended is not', async () => {
    const count = await again.rows.count();
    return count === 1 || count;
  });
  assert.deepEqual(again.page.complaints, []);
  assert.deepEqual(desk.page.complaints, []);
  await again.page.context().close();
});
