/** A visitor on a strange site and an operator in the app: the main job, in a real browser against a real server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
/** From the visitor's Enter to the row in the operator's list, once everything is loaded, milliseconds. */
const LIVE_MS = 1_000;
const CUT_MS = 10_000;
/** After a cut both sides wait up to some ten seconds before they try again. */
const BACK_MS = 30_000;

let server, site, browser, api, desk, guest, conversation;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  site = await startSite({ widget: server.url, key: 'shop' });
  const { items } = await api.get('/users');
  const me = items.find((user) => user.email === anna.email);
  await api.patch(`/users/${me.id}`, { capacity: 50 });
  await makeChat(api, { operators: [me.id], origins: [site.origin] });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, anna);
  guest = visitor(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

/** Both sides and the API tell the same story, and every text of `wanted` stands in it once. */
async function agree(wanted, timeout) {
  const told = async () => (await api.messages(conversation)).filter((m) => m.kind !== 'system').map((m) => m.text);
  await until(
    'every message once, in one order for both sides and the API',
    async () => {
      const [stored, seen, shown] = [await told(), await desk.texts(), await guest.texts()];
      const counts = wanted.map((text) => [stored, seen, shown].map((all) => all.filter((t) => t === text).length));
      const once = counts.flat().every((count) => count === 1);
      const alike = [seen, shown].every((all) => JSON.stringify(all) === JSON.stringify(stored));
      return (once && alike) || { stored, seen, shown };
    },
    { timeout },
  );
}

/** The texts of `some` in the order they have in the stored conversation. */
async function stored(some) {
  return (await api.messages(conversation)).map((m) => m.text).filter((text) => some.includes(text));
}

test('a visitor on another origin writes, and the operator sees it in the list without doing anything', async () => {
  assert.notEqual(new URL(site.origin).hostname, new URL(server.url).hostname);
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('Is the green lamp still there?');
  await desk.row('Is the green lamp still there?').waitFor();
  const { items } = await api.get('/conversations?view=all');
  assert.equal(items.length, 1);
  conversation = items[0].id;
});

test('the operator answers in the app, and the visitor reads it on the site', async () => {
  await desk.open('Is the green lamp');
  await desk.write('The last one is in the window.');
  await guest.bubble('The last one is in the window.').waitFor();
  await agree(['Is the green lamp still there?', 'The last one is in the window.']);
});

test('a message is in the list of the operator within a second', async (t) => {
  const took = [];
  for (const text of ['first ping', 'second ping', 'third ping', 'fourth ping', 'fifth ping']) {
    await guest.box.fill(text);
    const begun = performance.now();
    await guest.box.press('Enter');
    await desk.row(text).waitFor({ timeout: 5_000 });
    took.push(Math.round(performance.now() - begun));
  }
  t.diagnostic(`from the visitor's Enter to the operator's list: ${took.join(', ')} ms`);
  const middle = took.sort((a, b) => a - b)[2];
  assert.ok(middle < LIVE_MS, `the median of ${took.join(', ')} ms is not under ${LIVE_MS} ms`);
});

test('both see that the other is typing', async () => {
  // longer than both sides keep still after the last mark
  const typed = { delay: 120 };
  await Promise.all([
    desk.page.locator('.typing').waitFor(),
    guest.box.pressSequentially('one more question, if I may', typed),
  ]);
  await guest.box.fill('');
  await Promise.all([
    guest.typing.filter({ hasText: 'Anna Berg' }).waitFor(),
    desk.box.pressSequentially('please do, I am listening', typed),
  ]);
  await desk.box.fill('');
});

test('what the visitor wrote is marked as read once the operator has it open', async () => {
  await guest.write('Can you keep it for me?');
  await guest.bubble('Can you keep it for me?').getByText('Read', { exact: true }).waitFor();
});

test('an answer is delivered while the panel is closed and read once it is opened', async () => {
  await guest.panel.getByRole('button', { name: 'Close chat' }).click();
  await guest.panel.waitFor({ state: 'hidden' });
  await desk.write('Until Friday, gladly.');
  const answer = desk.bubble('Until Friday, gladly.');
  await answer.locator('.delivery.delivered').waitFor();
  await guest.launcher.locator('.n', { hasText: '1' }).waitFor();
  await guest.launcher.click();
  await guest.bubble('Until Friday, gladly.').waitFor();
  await answer.locator('.delivery.read').waitFor();
  await guest.launcher.locator('.n').waitFor({ state: 'detached' });
});

test('a picture and a file go both ways and can be fetched on the other side', async () => {
  const note = { name: 'Größe.txt', mimeType: 'text/plain', buffer: Buffer.from('40 cm') };
  const dot = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  await guest.panel.locator('input[type=file]').setInputFiles(note);
  await guest.panel.locator('.up .fl', { hasText: 'Größe.txt' }).waitFor();
  await guest.panel.locator('.up progress').waitFor({ state: 'detached' });
  await guest.write('the height');
  const link = desk.bubble('the height').getByRole('link', { name: /Größe\.txt/ });
  await link.waitFor();
  const fetched = await desk.page.request.get(new URL(await link.getAttribute('href'), server.url).href);
  assert.equal(await fetched.text(), '40 cm');
  assert.equal(fetched.headers()['x-content-type-options'], 'nosniff');

  await desk.page
    .locator('.composer input[type=file]')
    .setInputFiles({ name: 'lamp.png', mimeType: 'image/png', buffer: dot });
  await desk.page.locator('.composer .files .chip', { hasText: 'lamp.png' }).waitFor();
  await desk.page.locator('.composer progress').waitFor({ state: 'detached' });
  await desk.write('this one');
  const picture = guest.bubble('this one').getByAltText('lamp.png');
  await picture.waitFor();
  await until('the picture is drawn', () => picture.evaluate((img) => img.complete && img.naturalWidth === 1));
});

test('both reload, and nothing is missing', async () => {
  const before = (await api.messages(conversation)).filter((m) => m.kind !== 'system');
  await Promise.all([desk.page.reload(), guest.page.reload()]);
  await desk.box.waitFor();
  await guest.open();
  await until('as many messages as before on both sides', async () => {
    const counts = [(await desk.texts()).length, (await guest.texts()).length];
    return counts.every((count) => count === before.length) || counts;
  });
  await desk
    .bubble('the height')
    .getByRole('link', { name: /Größe\.txt/ })
    .waitFor();
  await guest.bubble('this one').getByAltText('lamp.png').waitFor();
  assert.deepEqual(
    (await desk.texts()).filter((text) => /ping/.test(text)),
    ['first ping', 'second ping', 'third ping', 'fourth ping', 'fifth ping'],
  );
});

test('a draft of the operator survives a reload', async () => {
  await desk.box.pressSequentially('We could also');
  await desk.page.reload();
  await desk.box.waitFor();
  await until('the draft is back', async () => {
    const value = await desk.box.inputValue();
    return value === 'We could also' || value;
  });
  await desk.box.fill('');
});

test('the wire is cut for ten seconds while both write: nothing is lost, nothing is double, the order stays', async () => {
  const asked = ['cut 1 from the visitor', 'cut 2 from the visitor', 'cut 3 from the visitor'];
  const said = ['cut 1 from the desk', 'cut 2 from the desk', 'cut 3 from the desk'];
  server.cut();
  const begun = performance.now();
  for (const at of asked.keys()) {
    await Promise.all([guest.write(asked[at]), desk.write(said[at])]);
  }
  await desk.page.locator('.banner').waitFor();
  await guest.banner.filter({ hasText: 'No connection' }).waitFor();
  await desk.bubble(said[0]).getByText('Waiting for the connection').first().waitFor();
  await guest.bubble(asked[0]).getByText('Waiting for the connection').waitFor();
  assert.equal(await desk.bubble(asked[0]).count(), 0);
  await new Promise((resolve) => setTimeout(resolve, CUT_MS - (performance.now() - begun)));
  server.restore();
  await agree([...asked, ...said], BACK_MS);
  assert.deepEqual(await stored(asked), asked);
  assert.deepEqual(await stored(said), said);
  await desk.page.locator('.banner').waitFor({ state: 'detached', timeout: BACK_MS });
  await guest.banner.waitFor({ state: 'hidden', timeout: BACK_MS });
  await Promise.all([desk.page.reload(), guest.page.reload()]);
  await desk.box.waitFor();
  await guest.open();
  await agree([...asked, ...said]);
});

test('what was written while cut off survives a reload of the page before the wire is back', async () => {
  // the page itself must be loadable: only the messages are stopped
  const posts = (url) => url.pathname.endsWith('/messages');
  const stop = (route) => (route.request().method() === 'POST' ? route.abort() : route.continue());
  await Promise.all([desk.page.route(posts, stop), guest.page.route(posts, stop)]);
  await Promise.all([desk.write('kept by the desk'), guest.write('kept by the visitor')]);
  await desk.bubble('kept by the desk').getByText('Waiting for the connection').first().waitFor();
  await guest.bubble('kept by the visitor').getByText('Waiting for the connection').waitFor();
  await Promise.all([desk.page.reload(), guest.page.reload()]);
  await guest.open();
  await desk.bubble('kept by the desk').waitFor();
  await guest.bubble('kept by the visitor').waitFor();
  await Promise.all([desk.page.unroute(posts), guest.page.unroute(posts)]);
  await agree(['kept by the desk', 'kept by the visitor'], BACK_MS);
});

test('a send that the server refuses shows why, and a retry sends it once', async () => {
  const posts = (url) => url.pathname.endsWith('/messages');
  const refuse = (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({
          status: 422,
          headers: { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'application/problem+json' },
          body: JSON.stringify({ type: '/problems/validation', title: 'No', status: 422, detail: 'not like this' }),
        })
      : route.continue();
  await Promise.all([desk.page.route(posts, refuse), guest.page.route(posts, refuse)]);
  await Promise.all([desk.write('refused at the desk'), guest.write('refused at the visitor')]);
  const [failed, lost] = [desk.bubble('refused at the desk'), guest.bubble('refused at the visitor')];
  await failed.getByText('not like this').waitFor();
  await lost.getByText('not like this').waitFor();
  await Promise.all([desk.page.unroute(posts), guest.page.unroute(posts)]);
  await failed.getByRole('button', { name: 'Retry' }).click();
  await lost.getByRole('button', { name: 'Retry' }).click();
  await agree(['refused at the desk', 'refused at the visitor']);
});

test('a second visitor is a second conversation, there within a second, and neither sees the other', async (t) => {
  const other = visitor(await openWindow(browser));
  await other.page.goto(site.origin);
  await other.open();
  await other.box.fill('Do you repair lamps?');
  const begun = performance.now();
  await other.box.press('Enter');
  await desk.row('Do you repair lamps?').waitFor({ timeout: 5_000 });
  const took = Math.round(performance.now() - begun);
  t.diagnostic(`from a stranger's first Enter to the operator's list: ${took} ms`);
  assert.ok(took < LIVE_MS, `${took} ms is not under ${LIVE_MS} ms`);
  await desk.open('Do you repair lamps?');
  await desk.write('We do, on Mondays.');
  await other.bubble('We do, on Mondays.').waitFor();
  assert.deepEqual(await other.texts(), ['Do you repair lamps?', 'We do, on Mondays.']);
  assert.equal(await guest.bubble('We do, on Mondays.').count(), 0);
  assert.deepEqual(other.page.complaints, []);
  await other.page.context().close();
});

test('through all of this no page threw, and no policy was broken', () => {
  assert.deepEqual(desk.page.complaints, []);
  assert.deepEqual(guest.page.complaints, []);
});
