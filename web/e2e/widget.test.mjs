/**
 * What a visitor finds in the chat, on a foreign site with a strict policy and a hostile style: each part that comes
 * when it is used, in a real browser against a real server. Pictures go to .artifacts, to be looked at.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = join(import.meta.dirname, '.artifacts');
mkdirSync(pictures, { recursive: true });

let server, site, silent, browser, api, desk, line, chat;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  const { items } = await api.get('/users');
  const me = items.find((user) => user.email === anna.email);
  await api.patch(`/users/${me.id}`, { capacity: 50 });
  ({ line, chat } = await makeChat(api, { operators: [me.id] }));
  await api.patch(`/lines/${line.id}`, { rating: { enabled: true } });
  site = await startSite({ widget: server.url, key: 'shop' });
  silent = await startSite({ widget: server.url, key: 'shop', sockets: false });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await silent?.close();
  await server?.stop();
});

/** What tests change, as it was; a setting that is left out stays as it is. */
const PLAIN = {
  require_prechat: false,
  prechat_fields: [],
  consent_text: null,
  consent_url: null,
  typing_preview: false,
  invitations: [],
};
const settings = (changes) => api.patch(`/channels/${chat.id}`, { settings: { ...PLAIN, ...changes } });

/** A visitor in a window of their own; `asked` collects whom the page asks for anything. */
async function guest(options = {}) {
  const page = await openWindow(browser, options);
  const asked = new Set();
  page.on('request', (request) => asked.add(new URL(request.url()).origin));
  return { ...visitor(page), asked };
}

/** Nothing serious in the widget as it stands, in either theme. */
async function passes(page, name) {
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const found = await page.evaluate(async () => {
      const result = await window.axe.run(
        { fromShadowDom: ['switchboard-chat', '.w'] },
        { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
      );
      return {
        looked: result.passes.length,
        violations: result.violations.map(
          ({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].any[0]?.message ?? ''}`,
        ),
      };
    });
    assert.deepEqual(found.violations, [], `${name}, ${colorScheme}`);
    assert.ok(found.looked > 5, `${name}: axe looked at ${found.looked} rules only`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

test('a first message needs the loader, the panel and one language, of the server alone', async () => {
  const { page, open, write, bubble, asked, launcher } = await guest();
  const files = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/widget/') && pathname.endsWith('.js')) files.push(pathname.slice(8));
  });
  await page.goto(site.origin);
  await launcher.waitFor();
  assert.deepEqual(files, ['v1.js']);
  await open();
  await write('Is the green lamp still there?');
  await bubble('Is the green lamp still there?')
    .getByText(/Sent|Delivered/)
    .waitFor();
  assert.deepEqual(files, ['v1.js', 'panel.js', 'strings-en.js']);
  assert.deepEqual([...asked].sort(), [server.url, site.origin].sort());
  assert.deepEqual(await page.context().cookies(), []);
  await passes(page, 'talk');
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('emoji are chosen by keyboard and go where the cursor is', async () => {
  const { page, open, box, panel, bubble } = await guest();
  await page.goto(site.origin);
  await open();
  await box.fill('Thanks ');
  await panel.getByRole('button', { name: 'Emoji' }).click();
  const signs = panel.getByRole('group', { name: 'Emoji' });
  await signs.waitFor();
  await passes(page, 'emoji');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await signs.waitFor({ state: 'detached' });
  assert.equal(await box.inputValue(), 'Thanks 😂');
  await box.press('Enter');
  await bubble('Thanks 😂').waitFor();
  // Escape shuts the choice and not the panel
  await panel.getByRole('button', { name: 'Emoji' }).click();
  await signs.waitFor();
  await page.keyboard.press('Escape');
  await signs.waitFor({ state: 'detached' });
  assert.ok(await panel.isVisible());
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('files come by paste and by drop, and are shown', async () => {
  const { page, open, box, panel, bubble } = await guest();
  await page.goto(site.origin);
  await open();
  await box.focus();
  await panel.evaluate((element) => {
    const files = (name, text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name, { type: 'text/plain' }));
      return data;
    };
    const field = element.querySelector('.cp textarea');
    field.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: files('pasted.txt', 'a'), bubbles: true, cancelable: true }),
    );
    element.dispatchEvent(
      new DragEvent('drop', { dataTransfer: files('dropped.txt', 'b'), bubbles: true, cancelable: true }),
    );
  });
  await panel.locator('.up .fl', { hasText: 'dropped.txt' }).waitFor();
  await panel.locator('.up .fl', { hasText: 'pasted.txt' }).waitFor();
  await panel.locator('.up progress').first().waitFor({ state: 'detached' });
  await until('both are there', async () => (await panel.locator('.s').getAttribute('aria-disabled')) === 'false');
  await passes(page, 'uploads');
  await box.fill('both');
  await box.press('Enter');
  await bubble('both')
    .getByRole('link', { name: /pasted/ })
    .waitFor();
  await bubble('both')
    .getByRole('link', { name: /dropped/ })
    .waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('the operator sees the visitor come, turn pages, write and go', async () => {
  await settings({ typing_preview: true });
  const { page, open, write, box, bubble } = await guest();
  await page.goto(site.origin);
  await open();
  await write('Where do I find the prices?');
  await bubble('Where do I find the prices?')
    .getByText(/Sent|Delivered/)
    .waitFor();
  await desk.open('Where do I find the prices?');
  const strip = desk.page.getByTestId('visitor');
  await strip.getByText('On the site now').waitFor();
  await strip.getByRole('link', { name: 'Lamp shop' }).waitFor();
  await page.evaluate(() => {
    history.pushState(null, '', '/prices');
    document.title = 'Prices of lamps';
  });
  await strip.getByRole('link', { name: 'Prices of lamps' }).waitFor();
  await box.pressSequentially('never mind, here they', { delay: 20 });
  await desk.page.locator('.typing', { hasText: 'never mind, here they' }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
  await strip.getByText('Not on the site').waitFor();
  await settings({});
});

test('questions depend on answers, consent is asked, and both reach the lead', async () => {
  await settings({
    require_prechat: true,
    consent_text: 'I agree that my words are kept.',
    consent_url: 'https://shop.example/privacy',
    prechat_fields: [
      { name: 'who', label: 'Your name', required: true, maps_to: 'contact.name' },
      { name: 'topic', label: 'Topic', type: 'select', options: ['Sales', 'Help'], required: true },
      { name: 'order', label: 'Order number', required: true, show_when: { field: 'topic', is: ['Help'] } },
    ],
  });
  const { page, panel, launcher, box, write, bubble } = await guest();
  await page.goto(site.origin);
  await launcher.click();
  await panel.getByLabel('Your name').fill('Nora');
  assert.ok(!(await panel.getByLabel('Order number').isVisible()));
  await panel.getByLabel('Topic').selectOption('Help');
  await panel.getByLabel('Order number').waitFor();
  await passes(page, 'questions');
  await page.screenshot({ path: join(pictures, 'widget-questions.png') });
  await panel.getByRole('button', { name: 'Start chat' }).click();
  await panel.getByText('Please fill in this field').first().waitFor();
  await panel.getByLabel('Order number').fill('17');
  await panel.getByLabel(/I agree/).check();
  await panel.getByRole('button', { name: 'Start chat' }).click();
  await box.waitFor();
  await write('My lamp is broken');
  await bubble('My lamp is broken')
    .getByText(/Sent|Delivered/)
    .waitFor();
  const { items } = await api.get('/leads');
  const lead = items.find((one) => one.contact?.name === 'Nora' || JSON.stringify(one).includes('Nora'));
  const last = lead.attribution.last;
  assert.deepEqual([last.prechat_topic, last.prechat_order], ['Help', '17']);
  assert.match(last.prechat_consent, /^\d{4}-\d\d-\d\d: I agree/);
  assert.ok((await page.evaluate(() => window.heard)).some(([name]) => name === 'prechat'));
  assert.deepEqual(page.complaints, []);
  await page.context().close();
  await settings({});
});

test('a visitor ends the talk and is asked how it was', async () => {
  const { page, open, write, panel, bubble } = await guest();
  await page.goto(site.origin);
  await open();
  await write('A question to end');
  await desk.open('A question to end');
  await desk.write('An answer.');
  await bubble('An answer.').waitFor();
  await panel.getByRole('button', { name: 'More' }).click();
  await panel.getByRole('button', { name: 'Sound' }).waitFor();
  await passes(page, 'menu');
  await panel.getByRole('button', { name: 'End the chat' }).click();
  await panel.getByRole('button', { name: 'End it' }).click();
  await panel.getByText('You ended the chat.').waitFor();
  await panel.getByText('How was this conversation?').waitFor();
  await passes(page, 'rating');
  await panel.getByRole('radio', { name: '5 of 5' }).check();
  await panel.locator('.rt').getByRole('button', { name: 'Send' }).click();
  await panel.getByText('Thank you!').waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('where a site forbids sockets, answers come by requests that wait', async () => {
  const { page, open, write, bubble, banner } = await guest();
  let polls = 0;
  page.on('request', (request) => (polls += /messages\?after=\d+&wait/.test(request.url()) ? 1 : 0));
  await page.goto(silent.origin);
  await open();
  await write('No sockets here');
  await desk.open('No sockets here');
  await until('the chat waits', () => polls > 0);
  await desk.write('Never mind.');
  await bubble('Never mind.').waitFor();
  assert.ok(polls < 8, `${polls} requests in a few seconds`);
  assert.ok(!(await banner.isVisible()), 'the visitor need not know');
  await page.context().close();
});

test('an invitation comes when its rule fits, opens the chat, and does not come again', async () => {
  await settings({ invitations: [{ text: 'May we help you choose?', after_secs: 1, url: '/lamps' }] });
  const { page, panel, box } = await guest();
  await page.goto(site.origin + '/elsewhere');
  const card = page.locator('switchboard-chat .iv');
  await page.waitForResponse((response) => response.url().endsWith('/invitations'));
  await page.evaluate(() => history.pushState(null, '', '/lamps'));
  await card.waitFor();
  await passes(page, 'invitation');
  await page.screenshot({ path: join(pictures, 'widget-invitation.png') });
  await card.getByText('May we help you choose?').click();
  await box.waitFor();
  await panel.getByText('May we help you choose?').waitFor();
  await page.goto(site.origin + '/lamps');
  await page.waitForResponse((response) => response.url().includes('/invitations')).catch(() => undefined);
  await page.waitForTimeout(2_500);
  assert.equal(await card.count(), 0);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
  await settings({});
});

test('a blocked visitor is told that there is no chat, and is let in again', async () => {
  const { page, open, write, banner, bubble } = await guest();
  await page.goto(site.origin);
  await open();
  await write('buy my pills');
  await desk.open('buy my pills');
  await desk.page.getByRole('button', { name: 'Block…' }).click();
  await desk.page.screenshot({ path: join(pictures, 'block-visitor.png') });
  await desk.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
  await desk.page.getByTestId('visitor').getByText('blocked').waitFor();
  await page.reload();
  await open();
  await banner.filter({ hasText: 'No chat on this page' }).waitFor();
  await desk.page.getByRole('button', { name: 'Let in again' }).click();
  await desk.page.getByRole('button', { name: 'Block…' }).waitFor();
  await page.reload();
  await open();
  await write('sorry');
  await bubble('sorry')
    .getByText(/Sent|Delivered/)
    .waitFor();
  await page.context().close();
});

const faces = {
  en: ['en-GB', 'Hello, I look for a lamp.', 'The green one is in the window.'],
  ru: ['ru-RU', 'Здравствуйте, я ищу лампу.', 'Зелёная стоит в витрине.'],
  fa: ['fa-IR', 'سلام، دنبال چراغ می‌گردم.', 'چراغ سبز پشت ویترین است.'],
};
for (const [code, [locale, question, reply]] of Object.entries(faces))
  test(`pictures in ${code}: both sizes, both themes`, async () => {
    for (const phone of [false, true]) {
      const size = phone ? { width: 390, height: 780 } : { width: 1100, height: 760 };
      const { page, open, write, bubble, panel } = await guest({ locale, viewport: size, hasTouch: phone });
      await page.goto(site.origin);
      await open();
      const text = `${question}${phone ? ' 📱' : ''}`;
      await write(text);
      await desk.open(text);
      await desk.write(reply);
      await bubble(reply).waitFor();
      assert.equal(await panel.getAttribute('dir'), code === 'fa' ? 'rtl' : 'ltr');
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const name = `widget-${code}-${phone ? 'phone' : 'desktop'}-${colorScheme}`;
        await page.screenshot({ path: join(pictures, `${name}.png`) });
        await panel.locator('header .i').first().click();
        await panel.locator('.mn').waitFor();
        await page.screenshot({ path: join(pictures, `${name}-menu.png`) });
        await page.keyboard.press('Escape');
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.ok(!wide, 'nothing is wider than its window');
      await passes(page, `${code} ${phone}`);
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    }
  });

test('through all of this the app threw nothing, and broke no policy', () => {
  assert.deepEqual(desk.page.complaints, []);
});
