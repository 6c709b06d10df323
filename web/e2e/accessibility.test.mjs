/** Every screen in both themes under axe, and the operator's work with the keyboard alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const admin = { email: 'olga@example.com', name: 'Olga Lind', password: 'keys instead of mice' };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let server, browser, site, desk, guest, made;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  guest = visitor(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

/** No serious or critical finding on the page, or on `scope` of it, in either theme. `looked`: rules that must have found work. */
async function passes(page, name, scope = null, looked = ['color-contrast', 'button-name']) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // as a script tag the page's own policy would refuse it
    await page.evaluate(axe);
    const { passed, violations } = await page.evaluate(async (part) => {
      const result = await window.axe.run(part ?? document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      return {
        passed: result.passes.map(({ id }) => id),
        violations: result.violations.map(({ id, impact, nodes }) => ({
          id,
          impact,
          at: nodes.slice(0, 4).map((node) => `${node.target.flat().join(' ')}: ${node.any[0]?.message ?? node.html}`),
        })),
      };
    }, scope);
    // an empty page has no faults either
    assert.ok(
      looked.every((rule) => passed.includes(rule)),
      `${name}: axe looked only at ${passed}`,
    );
    found.push(...violations.map((violation) => ({ theme: colorScheme, ...violation })));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const grave = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(grave, [], name);
}

test('the set-up page', async () => {
  const { page } = desk;
  await page.goto(server.setupLink);
  await page.locator('input[autocomplete=name]').waitFor();
  await passes(page, 'set-up');
  await page.locator('input[autocomplete=name]').fill(admin.name);
  await page.locator('input[type=email]').fill(admin.email);
  await page.locator('input[type=password]').fill(admin.password);
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/setup') && response.ok());
  await page.keyboard.press('Enter');
  made = await (await answered).json();
  await page.getByRole('heading', { name: 'Ready' }).waitFor();
  await passes(page, 'set-up, done');
  await page.getByRole('button', { name: 'To the inbox' }).click();
  await page.waitForURL('**/inbox/mine');
});

test('the widget on a site with a style of its own', async () => {
  site = await startSite({ widget: server.url, key: made.webchat.key });
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('Hello from the keyboard');
  await desk.open('Hello from the keyboard');
  await desk.write('Hello. How can we help?');
  await guest.bubble('How can we help?').waitFor();
  await passes(guest.page, 'widget', { fromShadowDom: ['switchboard-chat', '.w'] });
});

test('the hosted form', async () => {
  const page = await openWindow(browser);
  await page.goto(server.url + made.form_url);
  await passes(page, 'form');
  await page.getByLabel(/Your name/).fill('Peter Holm');
  await page.getByLabel(/Phone/).fill('none');
  await page.locator('form button[type=submit]').click();
  await page.getByRole('alert').waitFor();
  await passes(page, 'form with a complaint');
  await page.getByLabel(/Phone/).fill('+46 8 123 456 78');
  await page.locator('form button[type=submit]').click();
  await page.getByRole('status').waitFor();
  await passes(page, 'thanks', null, ['color-contrast']);
  await page.context().close();
});

test('the sign-in page', async () => {
  const page = await openWindow(browser);
  await page.goto(server.url);
  await page.locator('input[type=password]').waitFor();
  await passes(page, 'sign-in');
  await page.context().close();
});

for (const [name, path, landmark] of [
  ['the inbox with nothing open', '/inbox/mine', '[role=option]'],
  ['the queue', '/inbox/queue', '#main h1'],
  ['the search', '/search?q=Hello', '#main mark'],
  ['the contacts', '/contacts', 'td a'],
  ['the companies', '/companies', '#main h1'],
  ['the fields of admins', '/admin/fields', '#main h1'],
  ['the leads', '/leads', 'td a'],
  ['the submissions', '/submissions', '#main h1'],
  ['the lead sources', '/sources', '#main h1'],
  ['the wall', '/wall', '[data-operator]'],
  ['the deliveries', '/deliveries', '#main h1'],
  ['the quarantine', '/quarantine', '#main h1'],
  ['the lines', '/admin/lines', 'td a'],
  ['the channels', '/admin/channels', 'td a'],
  ['a new mailbox', '/admin/channels/new/email', '#main input'],
  ['the users', '/admin/users', 'td button'],
  ['the teams', '/admin/teams', '#main h1'],
  ['the capacity', '/admin/capacity', '#main h1'],
  ['the templates', '/templates', '#main h1'],
  ['the API keys', '/admin/apikeys', '#main h1'],
  ['the simulation', '/simulation', '#main form'],
  ['the profile', '/profile', '#main select'],
])
  test(name, async () => {
    await desk.page.goto(server.url + path);
    await desk.page.locator(landmark).first().waitFor();
    await passes(desk.page, name);
  });

for (const [name, path] of [
  ['the card of a contact', '/contacts'],
  ['the card of a lead', '/leads'],
  ['a line', '/admin/lines'],
  ['the settings of a channel', '/admin/channels'],
])
  test(name, async () => {
    await desk.page.goto(server.url + path);
    await desk.page.locator('td a').first().click();
    await desk.page.waitForURL((url) => url.pathname.startsWith(path + '/') || url.pathname.split('/').length > 2);
    await desk.page.locator('#main h1, #main h2').first().waitFor();
    await passes(desk.page, name);
  });

test('the hours of a line, and why an operator gets nothing', async () => {
  const { page } = desk;
  await page.goto(server.url + '/admin/lines');
  await page.locator('td a').first().click();
  await page.getByLabel('By the week').check();
  await page.getByText('The same as a list').click();
  await page
    .getByTestId('opening')
    .getByText(/Open now|Closed now/)
    .waitFor();
  await passes(page, 'hours');
  await page.goto(server.url + '/wall');
  await page.locator('[data-operator] .who button').first().click();
  await page.getByRole('menuitem', { name: /get nothing/ }).click();
  await page.getByTestId('obstacle').waitFor();
  await passes(page, 'why nothing', 'dialog[open]');
});

test('the schedule of a person, with shifts, an absence and a field that is wrong', async () => {
  const { page } = desk;
  await page.goto(server.url + '/admin/users');
  await page.locator('td').getByRole('button', { name: /^Edit/ }).first().click();
  await page.getByRole('link', { name: 'Edit schedule' }).click();
  await page.getByText('Works in shifts').click();
  await page.getByRole('button', { name: 'Add an absence' }).click();
  await page.getByLabel(/^Time zone/).fill('Mars/Base');
  await page.getByText(/is not a known/).waitFor();
  await passes(page, 'schedule');
});

test('an open conversation with the card beside it, and the palette over it', async () => {
  await desk.page.goto(server.url + '/inbox/mine');
  await desk.open('Hello');
  await desk.bubble('Hello. How can we help?').waitFor();
  await passes(desk.page, 'conversation');
  await desk.page.keyboard.press('Control+k');
  await desk.page.locator('dialog[open] input').waitFor();
  await passes(desk.page, 'palette', null, ['color-contrast']);
});

test('an operator signs in, finds, answers and closes a conversation without a mouse', async () => {
  const keys = operator(await openWindow(browser));
  const { page } = keys;
  await guest.write('Only keys, please');
  await page.goto(server.url);
  // the cursor stands in the first field
  await until('the e-mail field has the focus', () => page.evaluate(() => document.activeElement?.type === 'email'));
  await page.keyboard.type(admin.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(admin.password);
  await page.keyboard.press('Enter');
  await keys.row('Only keys, please').waitFor();

  // down and up again: of two rows the first is open
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.waitForURL(/inbox\/mine\/cnv_/);
  await page.getByRole('heading', { level: 2 }).first().waitFor();
  const first = await keys.rows.first().getAttribute('aria-selected');
  assert.equal(first, 'true');
  if ((await keys.rows.first().getByText('Only keys, please').count()) === 0) await page.keyboard.press('j');
  await keys.bubble('Only keys, please').waitFor();

  await page.keyboard.press('r');
  await until('the field has the focus', () => keys.box.evaluate((box) => box === document.activeElement));
  await page.keyboard.type('No mouse was moved.');
  await page.keyboard.press('Control+Enter');
  await guest.bubble('No mouse was moved.').waitFor();

  await page.keyboard.press('Escape');
  await page.keyboard.press('e');
  await page.locator('.toast', { hasText: 'Closed' }).waitFor();
  await keys.row('Only keys, please').waitFor({ state: 'detached' });

  await page.keyboard.press('Control+k');
  await page.locator('dialog[open] input').waitFor();
  await page.keyboard.type('contacts');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/contacts');
  await page.locator('#main h1').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('the app in Persian runs from right to left, and takes Persian digits', async () => {
  const keys = operator(await openWindow(browser, { locale: 'fa-IR' }));
  const { page } = keys;
  await guest.write('سلام، قیمت این چراغ چند است؟');
  await keys.signIn(server.url, admin);
  await keys.row('قیمت این چراغ').waitFor();
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), [
    'fa',
    'rtl',
  ]);
  // the menu stands at the side where lines begin
  const menu = await page.getByRole('navigation', { name: 'اصلی' }).boundingBox();
  assert.ok(menu.x > 1000, `the menu stands at ${menu.x}`);
  await keys.open('قیمت این چراغ');
  await page.getByRole('button', { name: 'فرستادن', exact: true }).waitFor();
  await passes(page, 'the inbox in Persian');

  await page.goto(server.url + '/admin/channels');
  await page.locator(`td a[href$="${made.webform.id}"]`).click();
  await page.getByRole('heading', { name: 'فیلدها' }).waitFor();
  await page.getByRole('heading', { name: 'پیش‌نمایش' }).waitFor();
  await passes(page, 'the form builder in Persian');

  await page.goto(server.url + '/admin/users');
  await page
    .locator('td')
    .getByRole('button', { name: /^ویرایش/ })
    .first()
    .click();
  const capacity = page.getByLabel('ظرفیت');
  await capacity.fill('');
  await capacity.pressSequentially('۱۲٫۵');
  assert.equal(await capacity.inputValue(), '12.5');
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('the visitor opens, writes and closes the widget without a mouse', async () => {
  const { page } = guest;
  await page.reload();
  await guest.launcher.focus();
  await page.keyboard.press('Enter');
  await guest.panel.waitFor();
  await until('the field has the focus', () => guest.box.evaluate((box) => box.getRootNode().activeElement === box));
  await page.keyboard.type('Typed, not clicked');
  await page.keyboard.press('Enter');
  await guest.bubble('Typed, not clicked').waitFor();
  await page.keyboard.press('Escape');
  await guest.panel.waitFor({ state: 'hidden' });
  await until('the launcher has the focus again', () =>
    guest.launcher.evaluate((button) => button.getRootNode().activeElement === button),
  );
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(desk.page.complaints, []);
});
