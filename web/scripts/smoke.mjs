/** The operator's day against the mock: `PORT=4199 MOCK_QUIET=1 node mock/server.mjs & BASE=http://127.0.0.1:4199 node scripts/smoke.mjs` */
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:4199';
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en' });
const page = await context.newPage();
page.setDefaultTimeout(6000);
const errors = [];
page.on('pageerror', (e) => errors.push(e.stack));
page.on('console', (m) => /Content Security/.test(m.text()) && errors.push(m.text()));
const rows = page.locator('[role=option]');
const box = page.locator('.composer textarea');
const bubble = (text) => page.locator('article', { hasText: text });
let failed = 0;
const step = async (name, run) => {
  try {
    await run();
    console.log(`ok   ${name}`);
  } catch (e) {
    failed += 1;
    console.log(`FAIL ${name}\n     ${e.message.split('\n').slice(0, 12).join('\n     ')}`);
    await page.screenshot({ path: `/tmp/smoke-${failed}.png` });
  }
};

await step('a wrong password is explained', async () => {
  await page.goto(base);
  await page.locator('input[type=email]').fill('admin@example.com');
  await page.locator('input[type=password]').fill('nope');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
});
await step('signing in shows my conversations', async () => {
  await page.locator('input[type=password]').fill('switchboard');
  await page.keyboard.press('Enter');
  await rows.first().waitFor();
  assert.equal(await rows.count(), 4);
});
await step('the title counts unread messages', async () => {
  await page.waitForFunction(() => /^\(6\) /.test(document.title));
});
await step('J opens the first, it is marked read', async () => {
  await page.keyboard.press('j');
  await bubble('Assalomu').waitFor();
  await page.waitForFunction(() => /^\(5\) /.test(document.title));
});
await step('scrolling back loads older pages and keeps the place', async () => {
  const before = await page.locator('article').count();
  await page.locator('.log').evaluate((n) => (n.scrollTop = 0));
  await page.waitForFunction((n) => document.querySelectorAll('article').length > n, before);
  const top = await page.locator('.log').evaluate((n) => n.scrollTop);
  assert.ok(top > 200, `scrollTop ${top}`);
  await page.getByRole('button', { name: 'To the latest message' }).click();
});
await step('a draft survives a reload, per kind', async () => {
  await page.keyboard.press('r');
  await box.fill('half a sentence');
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  await box.fill('for the team');
  await page.waitForTimeout(400);
  await page.reload();
  await page.locator('article').first().waitFor();
  assert.equal(await box.inputValue(), 'half a sentence');
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  assert.equal(await box.inputValue(), 'for the team');
  await page.getByRole('button', { name: 'Reply', exact: true }).click();
});
await step('Enter sends, and the delivery goes through its states', async () => {
  await box.fill('It is ready today');
  await box.press('Enter');
  await bubble('It is ready today').waitFor();
  await bubble('It is ready today').getByText('Delivered').waitFor();
  assert.equal(await box.inputValue(), '');
  assert.equal(await bubble('It is ready today').count(), 1);
});
await step('a failed delivery shows its reason and can be retried', async () => {
  await box.fill('please fail now');
  await box.press('Enter');
  const m = bubble('please fail now');
  await m.getByText('The provider refused the address').waitFor();
  await m.getByRole('button', { name: 'Retry' }).click();
  await m.getByText('The provider refused the address').waitFor({ state: 'detached' });
  await m.getByText('The provider refused the address').waitFor();
});
await step('a refused message can be taken back', async () => {
  await box.fill('refuse this');
  await box.press('Enter');
  await bubble('refuse this').getByRole('button', { name: 'Edit' }).click();
  assert.equal(await box.inputValue(), 'refuse this');
  await box.fill('');
});
await step('offline: the message waits, survives a reload and goes out once', async () => {
  await page.route('**/conversations/*/messages', (r) => (r.request().method() === 'POST' ? r.abort() : r.continue()));
  await box.fill('written in a tunnel');
  await box.press('Enter');
  await bubble('written in a tunnel').getByText('Waiting for the connection').first().waitFor();
  await page.reload();
  await bubble('written in a tunnel').first().waitFor();
  await page.unroute('**/conversations/*/messages');
  await bubble('written in a tunnel').getByText('Delivered').waitFor({ timeout: 15000 });
  assert.equal(await bubble('written in a tunnel').count(), 1);
});
await step('a file is attached, uploaded and sent', async () => {
  await page.locator('input[type=file]').setInputFiles({
    name: 'photo.svg',
    mimeType: 'image/svg+xml',
    buffer: Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><rect width="60" height="60"/></svg>',
    ),
  });
  await page
    .locator('.files .chip', { hasText: 'photo.svg' })
    .getByRole('button', { name: /Remove/ })
    .waitFor();
  await page.waitForFunction(() => !document.querySelector('progress'));
  await box.fill('see the photo');
  await box.press('Enter');
  await bubble('see the photo').locator('img').waitFor();
});
await step('T opens transfer; the receiver has it, it leaves my list', async () => {
  await page.locator('[role=option]', { hasText: 'Emily' }).click();
  await page.locator('article').first().waitFor();
  await page.keyboard.press('t');
  const d = page.locator('dialog[open]');
  await d.getByLabel(/Dilnoza/).check();
  await d.locator('textarea').fill('She asked for you');
  await d.getByRole('button', { name: 'Transfer', exact: true }).click();
  await page.locator('[role=log]').getByText('She asked for you').waitFor();
  await page.locator('header .chip', { hasText: 'Dilnoza' }).waitFor();
});
await step('closing offers Undo, which reopens', async () => {
  await page.locator('[role=option]', { hasText: 'Карим' }).click();
  await page.locator('h2', { hasText: 'Карим' }).first().waitFor();
  await page.keyboard.press('e');
  await page.locator('.toast', { hasText: 'Closed' }).getByRole('button', { name: 'Undo' }).click();
  await page.locator('[role=option]', { hasText: 'Карим' }).waitFor();
});
await step('tags and priority', async () => {
  await page.locator('[role=option]', { hasText: 'Карим' }).click();
  await page.locator('h2', { hasText: 'Карим' }).first().waitFor();
  await page.keyboard.press('l');
  await page.locator('dialog[open] input').first().fill('late, angry');
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').getByRole('button', { name: 'Save' }).click();
  await page.locator('.strip .chip', { hasText: 'angry' }).waitFor();
  await page.getByRole('button', { name: /Priority/ }).click();
  await page.getByRole('menuitemradio', { name: 'Urgent' }).click();
  await page.locator('[role=option]', { hasText: 'Urgent' }).waitFor();
});
await step('why: the routing decisions', async () => {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: /Why/ }).click();
  await page.locator('dialog[open]').getByText('not in the queue').waitFor();
  await page.keyboard.press('Escape');
});
await step('G Q shows the queue, longest waiting first; Take makes it mine', async () => {
  await page.locator('h2', { hasText: 'Карим' }).first().click();
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.locator('[role=option]', { hasText: 'hello?' }).waitFor();
  const names = await rows.allInnerTexts();
  assert.match(names[0], /Visitor/, 'the urgent one first');
  await rows.first().click();
  await page.getByRole('button', { name: 'Take', exact: true }).click();
  await page.getByRole('button', { name: 'Close', exact: true }).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
});
await step('the contact can be edited', async () => {
  await page.getByRole('button', { name: 'Edit contact' }).click();
  await page.locator('aside').getByLabel('Name').fill('Aziza');
  await page.locator('aside').getByRole('button', { name: 'Save' }).click();
  await page.locator('aside h2', { hasText: 'Aziza' }).waitFor();
});
await step('snoozing takes a conversation out of Mine and says until when; it can be brought back', async () => {
  await page.goto(`${base}/inbox/mine`);
  const row = page.locator('[role=option]', { hasText: 'Карим' });
  await row.click();
  await page.locator('h2', { hasText: 'Карим' }).first().waitFor();
  await page.getByRole('button', { name: 'Snooze' }).click();
  await page.getByRole('menuitem', { name: 'For an hour' }).click();
  await page.locator('.toast', { hasText: 'Snoozed until' }).waitFor();
  await page.mouse.move(5, 5);
  await row.waitFor({ state: 'detached' });
  await page.goto(`${base}/inbox/all`);
  await row.click();
  await page.locator('.strip .chip', { hasText: 'snoozed until' }).waitFor();
  await page.getByRole('button', { name: 'Snooze' }).click();
  await page.getByRole('menuitem', { name: 'Bring back now' }).click();
  await page.locator('.strip .chip', { hasText: 'snoozed until' }).waitFor({ state: 'detached' });
});
await step('a supervisor joins unseen, stands in the card, then openly, and leaves', async () => {
  await page.goto(`${base}/inbox/all`);
  await page.locator('[role=option]', { hasText: 'Emily' }).click();
  await page.locator('article').first().waitFor();
  const choose = async (name) => {
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
  };
  await choose('Join unseen');
  await page.locator('aside .chip', { hasText: 'unseen' }).waitFor();
  await page.locator('.composer').getByText('stays with the team').waitFor();
  await choose('Join openly');
  await page.locator('aside .chip', { hasText: 'unseen' }).waitFor({ state: 'detached' });
  await choose('Leave the conversation');
  await page.locator('aside').getByText('In this conversation').waitFor({ state: 'detached' });
});
await step('under the heading of a new view the rows of the old one never stand', async () => {
  await page.goto(`${base}/inbox/mine`);
  await rows.first().waitFor();
  await page.locator('.scroller').hover();
  let answer;
  const held = new Promise((r) => (answer = r));
  await page.route('**/conversations?view=queue*', async (r) => {
    await held;
    await r.continue();
  });
  await page.evaluate(() => {
    window.mixed = 0;
    new MutationObserver(() => {
      const heading = document.querySelector('h1')?.textContent;
      if (heading === 'Queue' && document.querySelector('.scroller')?.textContent.includes('Карим')) window.mixed += 1;
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.locator('h1', { hasText: 'Queue' }).waitFor();
  assert.equal(await page.locator('[role=option]', { hasText: 'Карим' }).count(), 0);
  answer();
  await rows.first().waitFor();
  assert.equal(await page.evaluate(() => window.mixed), 0);
  await page.unroute('**/conversations?view=queue*');
});
await step('all open: the virtual list loads page after page', async () => {
  await page.goto(`${base}/inbox/all`);
  await rows.first().waitFor();
  assert.ok((await rows.count()) < 40, 'only visible rows are in the page');
});
await step('the palette finds a person', async () => {
  await page.keyboard.press('Control+k');
  await page.locator('dialog[open] input').waitFor();
  await page.keyboard.type('hannah');
  await page.locator('dialog[open] [role=option]', { hasText: 'Hannah Schmidt' }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('h2, h1', { hasText: 'Hannah' }).first().waitFor();
});
await step('availability is switched by menu', async () => {
  await page.locator('.availability').click();
  await page.getByRole('menuitemradio', { name: /Paused/ }).click();
  await page.locator('.availability.paused').waitFor();
});
const write = (name, text) =>
  fetch(`${base}/mock/say?name=${encodeURIComponent(name)}&text=${encodeURIComponent(text)}`);
await step('a new message appears by itself and moves its row up', async () => {
  await page.goto(`${base}/inbox/mine`);
  await rows.first().waitFor();
  await page.mouse.move(5, 5);
  await write('نرگس', 'a live message');
  await page.locator('[role=option]').first().getByText('a live message').waitFor();
});
await step('rows do not move under the pointer; new ones wait in a pill', async () => {
  await page.goto(`${base}/inbox/all`);
  await rows.first().waitFor();
  const before = await rows.nth(1).getAttribute('id');
  await page.mouse.move(400, 170);
  await write('Visitor 21', 'moves to the top');
  await write('Visitor 79', 'comes from far below');
  await page.getByRole('button', { name: /new$/ }).waitFor();
  assert.equal(await rows.nth(1).getAttribute('id'), before);
  await page.getByRole('button', { name: /new$/ }).click();
  await page.mouse.move(5, 5);
  await page.locator('[role=option]').first().getByText('comes from far below').waitFor();
});
await step('the socket is cut: a banner, then everything that was missed, once', async () => {
  await page.goto(`${base}/inbox/mine`);
  await page.locator('[role=option]', { hasText: 'Zarina' }).click();
  await page.locator('article').first().waitFor();
  await fetch(`${base}/mock/cut?ms=4000`);
  await write('Zarina', 'while you were away');
  await box.fill('sent without a socket');
  await box.press('Enter');
  await page.locator('.banner').waitFor();
  await bubble('while you were away').waitFor({ timeout: 20000 });
  await page.locator('.banner').waitFor({ state: 'detached', timeout: 20000 });
  await bubble('sent without a socket').getByText('Delivered').waitFor();
  assert.equal(await bubble('sent without a socket').count(), 1);
  assert.equal(await bubble('while you were away').count(), 1);
});
await step('a line is edited: order of the queue by buttons, saved', async () => {
  await page.goto(`${base}/admin/lines`);
  await page.locator('td a', { hasText: 'Support' }).click();
  await page.locator('.queue li').first().waitFor();
  await page.getByRole('button', { name: /Move .*Anna.* down/ }).click();
  assert.match(await page.locator('.queue li').nth(1).innerText(), /Anna/);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/Version .?4/).waitFor();
});
await step('a channel is tested and says what is wrong', async () => {
  await page.goto(`${base}/admin/channels`);
  await page.locator('td a', { hasText: 'info@' }).click();
  await page.getByRole('button', { name: 'Test connection' }).click();
  await page.getByText('the server refused the password').waitFor();
});
await step('a new e-mail channel is drawn from its schema and created', async () => {
  await page.goto(`${base}/admin/channels`);
  await page.getByRole('button', { name: 'New channel' }).click();
  await page.locator('dialog[open]').getByText('E-mail').click();
  await page.getByLabel('Password').first().fill('secret-1');
  const [request] = await Promise.all([
    page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/channels')),
    page.getByRole('button', { name: 'Create' }).click(),
  ]);
  const body = request.postDataJSON();
  assert.equal(body.kind, 'email');
  assert.equal(body.settings.imap.password, 'secret-1');
  assert.ok(!('password' in body.settings.smtp), 'an empty secret is not sent');
  await page.getByRole('button', { name: 'Test connection' }).waitFor();
});
await step('a form field is added and moved up', async () => {
  await page.goto(`${base}/admin/channels`);
  await page.locator('td a', { hasText: 'Call me back' }).click();
  await page.getByRole('button', { name: 'Add a field' }).click();
  await page.getByLabel(/^Label/).fill('Company');
  await page.getByRole('button', { name: /Move .*Company.* up/ }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.toast', { hasText: 'Saved' }).waitFor();
});
await step('an API key is shown once', async () => {
  await page.goto(`${base}/admin/apikeys`);
  await page.getByRole('button', { name: 'New API key' }).click();
  await page.locator('dialog[open]').getByLabel('Name').fill('Site');
  await page.locator('dialog[open]').getByRole('button', { name: 'Create' }).click();
  await page.getByText('sb_a1b2c3').waitFor();
  await page.keyboard.press('Escape');
});
await step('a person is added', async () => {
  await page.goto(`${base}/admin/users`);
  await page.getByRole('button', { name: 'New person' }).click();
  const d = page.locator('dialog[open]');
  await d.getByLabel('Name').fill('Farrukh');
  await d.getByLabel('E-mail').fill('f@example.com');
  await d.getByLabel('Password').fill('long enough words');
  await d.getByRole('button', { name: 'Save' }).click();
  await page.locator('td', { hasText: 'Farrukh' }).first().waitFor();
});
await step('quarantine: raw view and replay', async () => {
  await page.goto(`${base}/quarantine`);
  await page.getByRole('button', { name: 'View' }).first().click();
  await page.getByText('From: someone@example.org').waitFor();
  await page.locator('dialog[open]').getByRole('button', { name: 'Try again' }).click();
  await page.locator('.toast', { hasText: 'Taken in again' }).waitFor();
});
await step('an unknown address has its page', async () => {
  await page.goto(`${base}/nowhere`);
  await page.getByText('There is no such page').waitFor();
});
await step('Russian, dark theme and right-to-left hold together', async () => {
  await page.goto(`${base}/profile`);
  await page.getByLabel('Language').selectOption('ru');
  await page.getByText('Профиль и настройки').first().waitFor();
  await page.getByLabel('Тема').selectOption('dark');
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(14, 16, 20)');
  await page.goto(`${base}/inbox/mine`);
  await rows.first().click();
  await page.locator('article').first().waitFor();
  await page.evaluate(() => (document.documentElement.dir = 'rtl'));
  await page.waitForTimeout(300);
  await page.screenshot({ path: '/tmp/smoke-rtl.png' });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});
await step('signing out ends the session', async () => {
  await page.locator('button.me').click();
  await page.getByRole('menuitem', { name: 'Выйти' }).click();
  await page.locator('input[type=password]').waitFor();
});
await browser.close();
if (errors.length) console.log('errors:\n' + [...new Set(errors)].join('\n'));
process.exitCode = failed || errors.length ? 1 : 0;
