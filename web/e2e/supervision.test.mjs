/** What supervisors and admins do: the wall, a line's queue and hours, and joining a conversation unseen. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat, signIn } from './support/api.mjs';
import { openWindow, operator, startBrowser, until, visitor } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';
import { startSite } from './support/site.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const boris = { email: 'boris@example.com', name: 'Boris Orlov', password: 'a lamp in the cellar' };
const clara = { email: 'clara@example.com', name: 'Clara Weiss', password: 'a lamp in the garden' };

let server, site, browser, api, line, people, desk, guest, page, conversation;
const HOUR = 3600;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  site = await startSite({ widget: server.url, key: 'shop' });
  people = {};
  for (const person of [boris, clara]) people[person.name] = await api.post('/users', { ...person, role: 'operator' });
  ({ line } = await makeChat(api, {
    operators: [people[boris.name].id, people[clara.name].id],
    origins: [site.origin],
  }));
  // Boris is there and pauses, Clara is away.
  const his = await signIn(server.url, boris);
  await his.put('/me/presence', { state: 'online', ttl_secs: HOUR });
  await his.put('/me/availability', { state: 'paused', reason: 'Lunch' });
  browser = await startBrowser();
  desk = operator(await openWindow(browser));
  page = desk.page;
  await desk.signIn(server.url, anna);
  guest = visitor(await openWindow(browser));
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

const card = (person) => page.locator(`[data-operator="${people[person.name].id}"]`);
const choose = async (button, item) => {
  await button.click();
  await page
    .getByRole('menuitem', { name: item })
    .or(page.getByRole('menuitemradio', { name: item }))
    .first()
    .click();
};
const more = (within) => within.getByRole('button', { name: /^More actions/ }).first();

test('the wall shows who waits, since when, and how the operators are, as it happens', async () => {
  await page.goto(server.url + '/wall');
  await page.getByText('Everybody has been looked after.').waitFor();
  await card(boris).getByText('Lunch').waitFor();
  await guest.page.goto(site.origin);
  await guest.open();
  await guest.write('Is the green lamp still there?');
  const row = page.locator('ol [data-conversation]');
  await row.waitFor();
  conversation = await row.getAttribute('data-conversation');
  const time = row.locator('.time');
  const first = await time.textContent();
  await until('the waiting time runs', async () => (await time.textContent()) !== first);
  await page
    .getByRole('button', { name: /Support/ })
    .getByText(/1\W*paused/)
    .waitFor();
});

test('the wall tells why an operator gets nothing, and who would get a conversation now', async () => {
  await choose(card(boris).getByRole('button', { name: /Availability of/ }), /Why do they get nothing/);
  const dialog = page.locator('dialog[open]');
  await dialog
    .getByTestId('obstacle')
    .getByText(/is paused/)
    .waitFor();
  await dialog.getByText('one waits').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.locator(`[data-conversation="${conversation}"] a`).click();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: /Why this operator/ }).click();
  await page.getByRole('button', { name: 'Who would get this now?' }).click();
  const preview = page.getByTestId('preview');
  await preview.getByText(/Nobody\W+can\W+take it/).waitFor();
  await preview.getByText('paused', { exact: true }).waitFor();
});

test('a supervisor sets somebody to accepting from the wall, and the waiting conversation is theirs', async () => {
  await page.goto(server.url + '/wall');
  await choose(card(boris).getByRole('button', { name: /Availability of/ }), 'Accepting');
  await card(boris).locator(`[data-conversation="${conversation}"]`).waitFor();
  await page.getByText('Everybody has been looked after.').waitFor();
});

test('who joins unseen is nowhere in the widget, nor is what they write', async () => {
  await choose(more(card(boris).locator(`[data-conversation="${conversation}"]`)), 'Join unseen');
  await card(boris).getByText('you are here unseen').waitFor();
  await card(boris).locator(`[data-conversation="${conversation}"] a`).click();
  await desk.box.waitFor();
  await page.getByText('You are here unseen').first().waitFor();
  await desk.write('Ask for forty, not thirty.');
  await desk.bubble('Ask for forty').waitFor();
  // What is sent openly after it comes, so what was written unseen would have come as well.
  const his = await signIn(server.url, boris);
  await his.post(`/conversations/${conversation}/messages`, {
    kind: 'reply',
    text: 'It is, and it costs forty-five.',
    client_id: crypto.randomUUID(),
  });
  await guest.bubble('It is, and it costs').waitFor();
  const told = await guest.panel.innerText();
  for (const word of ['forty, not thirty', 'Anna', 'joined']) assert.ok(!told.includes(word), `${word} in: ${told}`);
  assert.deepEqual(await guest.texts(), ['Is the green lamp still there?', 'It is, and it costs forty-five.']);
  // The same after a new start of the widget, which reads the whole conversation.
  await guest.page.reload();
  await guest.open();
  await guest.bubble('It is, and it costs').waitFor();
  assert.ok(!(await guest.panel.innerText()).includes('forty, not thirty'));
});

test('joining openly and leaving work from the wall', async () => {
  await page.goto(server.url + '/wall');
  const row = card(boris).locator(`[data-conversation="${conversation}"]`);
  await choose(more(row), 'Join openly');
  await row.getByText('you are here', { exact: true }).waitFor();
  await choose(more(row), 'Leave the conversation');
  await row.getByText('you are here').waitFor({ state: 'detached' });
  assert.deepEqual((await api.get(`/conversations/${conversation}`)).participants, []);
});

test('a conversation is moved to another operator from the wall', async () => {
  await choose(more(card(boris).locator(`[data-conversation="${conversation}"]`)), /Transfer/);
  await page.locator('dialog[open] label', { hasText: 'Clara' }).click();
  await page.getByRole('button', { name: 'Transfer', exact: true }).click();
  await card(clara).locator(`[data-conversation="${conversation}"]`).waitFor();
  const { session } = await api.get(`/conversations/${conversation}`);
  assert.equal(session.operator_id, people[clara.name].id);
});

test('a supervisor takes a conversation over from the wall', async () => {
  await choose(more(card(clara).locator(`[data-conversation="${conversation}"]`)), 'Take over');
  await card(clara).locator(`[data-conversation="${conversation}"]`).waitFor({ state: 'detached' });
  const { session } = await api.get(`/conversations/${conversation}`);
  const { items } = await api.get('/users');
  assert.equal(session.operator_id, items.find((user) => user.email === anna.email).id);
});

const names = () => page.locator('#queue ol li bdi').allTextContents();

test('a queue is put in order by pulling a row, and by the keys of its handle', async () => {
  await page.goto(`${server.url}/admin/lines/${line.id}`);
  const handles = page.locator('#queue .handle');
  // Away from the bar at the foot of the page.
  await page.locator('#queue').evaluate((queue) => queue.scrollIntoView({ block: 'center' }));
  const [first, second] = [await handles.nth(0).boundingBox(), await handles.nth(1).boundingBox()];
  await page.mouse.move(first.x + 10, first.y + 10);
  await page.mouse.down();
  await page.mouse.move(first.x + 10, second.y + 14, { steps: 5 });
  await page.mouse.up();
  assert.deepEqual(await names(), [clara.name, boris.name]);
  await page.locator('#queue [role=status]', { hasText: /place\W+2\W+of\W+2/ }).waitFor({ state: 'attached' });
  await handles.nth(1).focus();
  await page.keyboard.press('ArrowUp');
  assert.deepEqual(await names(), [boris.name, clara.name]);
  await page.locator('#queue [role=status]', { hasText: /Boris.*place\W+1\W+of\W+2/ }).waitFor({ state: 'attached' });
  await page.keyboard.press('End');
  assert.deepEqual(await names(), [clara.name, boris.name]);
});

/** A point of the week: day from Monday, hour. */
async function at(day, hour) {
  const box = await page.locator('[data-testid=week] .col').nth(day).boundingBox();
  return [box.x + box.width / 2, box.y + (box.height * hour) / 24];
}
async function pull(from, to) {
  await page.mouse.move(...(await at(...from)));
  await page.mouse.down();
  await page.mouse.move(...(await at(...to)), { steps: 6 });
  await page.mouse.up();
}

test('hours are drawn, changed and removed, and the server says at once what they come to', async () => {
  await page.getByLabel('By the week').check();
  await page.getByLabel('Time zone').selectOption('Asia/Tashkent');
  await page.locator('[data-testid=week]').evaluate((week) => week.scrollIntoView({ block: 'center' }));
  // Sunday is closed until it is drawn on; Monday begins earlier; Friday goes on into the night; Tuesday is removed.
  await pull([6, 10], [6, 12.1]);
  await pull([0, 9.1], [0, 8]);
  await pull([4, 20], [5, 2]);
  await page.mouse.click(...(await at(1, 12)));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  const { hours } = await api.get(`/lines/${line.id}`);
  assert.equal(hours.time_zone, 'Asia/Tashkent');
  const day = [['09:00', '18:00']];
  assert.deepEqual(hours.weekly, {
    mon: [['08:00', '18:00']],
    wed: day,
    thu: day,
    fri: [...day, ['20:00', '02:00']],
    sun: [['10:00', '12:15']],
  });
  const judged = await api.post('/lines/opening-preview', { hours });
  const words = judged.open ? /Open now, until/ : /Closed now. It opens/;
  await page.getByTestId('opening').getByText(words).waitFor();
  // The night shows in both columns, and the plain inputs say the same.
  assert.equal(await page.locator('[data-testid=week] .col').nth(5).locator('.block').count(), 1);
  await page.getByText('The same as a list').click();
  await page.getByLabel(/Monday.*from/).fill('07:30');
  await page.getByLabel(/Monday.*from/).blur();
  await page.locator('[data-testid=week] .col').nth(0).getByText('07:30').waitFor();
});

test('a day off makes the preview say so, and hours without an opening are warned of', async () => {
  await page.getByRole('radio', { name: 'Always open' }).check();
  await page.getByTestId('opening').getByText('Open now, without an end.').waitFor();
  await page.getByLabel('By the week').check();
  await page.getByText('The same as a list').click();
  for (let n = 0; n < 8; n++) {
    const left = page.locator('#hours .days').getByRole('button', { name: /^Remove/ });
    if ((await left.count()) === 0) break;
    await left.first().click();
  }
  await page.getByTestId('opening').getByText('no opening within a year').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByTestId('warnings').getByText('never open').waitFor();
  await page.goto(`${server.url}/admin/lines`);
  await page.getByText('serves nobody').waitFor();
  assert.deepEqual(page.complaints, []);
});

test('on a touch screen a tap adds an hour, an edge is pulled by the finger, and the page still scrolls', async () => {
  const touched = await openWindow(browser, { viewport: { width: 390, height: 800 }, hasTouch: true });
  await operator(touched).signIn(server.url, anna);
  await api.patch(`/lines/${line.id}`, { hours: { time_zone: 'UTC', weekly: { mon: [['09:00', '12:00']] } } });
  await touched.goto(`${server.url}/admin/lines/${line.id}`);
  const week = touched.locator('[data-testid=week]');
  await week.evaluate((grid) => grid.scrollIntoView({ block: 'center' }));
  const fingers = await touched.context().newCDPSession(touched);
  const touch = (type, ...points) =>
    fingers.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  const spot = async (day, hour) => {
    const box = await week.locator('.col').nth(day).boundingBox();
    return [box.x + box.width / 2, box.y + (hour / 24) * box.height];
  };
  await touched.touchscreen.tap(...(await spot(2, 14.6)));
  await week.locator('.col').nth(2).locator('.block').waitFor();
  const edge = await week.locator('.col').nth(0).locator('[data-edge=to]').boundingBox();
  const held = [edge.x + edge.width / 2, edge.y + edge.height / 2];
  const to = await spot(0, 15);
  await touch('touchStart', held);
  for (const part of [0.3, 0.6, 1]) await touch('touchMove', [held[0], held[1] + (to[1] - held[1]) * part]);
  await touch('touchEnd');
  await touched.getByRole('button', { name: 'Save', exact: true }).click();
  await touched.getByText('Saved', { exact: true }).waitFor();
  const { hours } = await api.get(`/lines/${line.id}`);
  assert.deepEqual(hours.weekly, { mon: [['09:00', '15:00']], wed: [['14:30', '15:30']] });
  // A finger that goes down a free day scrolls the page and draws nothing.
  const before = await spot(5, 12);
  await touch('touchStart', before);
  for (const by of [20, 60, 120]) await touch('touchMove', [before[0], before[1] - by]);
  await touch('touchEnd');
  await until('the page scrolled', async () => (await spot(5, 12))[1] < before[1] - 20);
  assert.equal(await week.locator('.col').nth(5).locator('.block').count(), 0);
  assert.deepEqual(touched.complaints, []);
  await touched.context().close();
});
