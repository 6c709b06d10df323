/** Who works when: a pause by the keyboard, a schedule by the admin, and a window nobody sits at. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const boris = { email: 'boris@example.com', name: 'Boris Lund', password: 'another lamp there' };

let server, browser, api, admin, desk, her;

before(async () => {
  server = await startServer({ before: withAdmin(anna) });
  api = client(server.url, server.prepared.key);
  her = await api.post('/users', { ...boris, role: 'operator' });
  browser = await startBrowser();
  admin = operator(await openWindow(browser));
  await admin.signIn(server.url, anna);
  desk = operator(await openWindow(browser));
  await desk.page.clock.install();
  await desk.signIn(server.url, boris);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const user = () => api.get(`/users/${her.id}`);

test('an operator pauses with a reason by the keyboard alone, and a colleague reads it', async () => {
  const { page } = desk;
  await page.locator('.availability').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitemradio', { name: /^Accepting/ }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.availability', { hasText: 'lunch' }).waitFor();
  await until('the server knows', async () => (await user()).availability_reason === 'lunch');
  await admin.page.goto(server.url + '/admin/users');
  await admin.page.getByRole('row', { name: /Boris/ }).getByText('Paused · lunch').waitFor();
  await page.locator('.availability').click();
  await page.getByRole('menuitemradio', { name: /another reason/ }).click();
  await page.getByRole('textbox', { name: 'Reason' }).fill('Fire drill');
  await page.keyboard.press('Enter');
  await page.locator('.availability', { hasText: 'Fire drill' }).waitFor();
  await page.locator('.availability').click();
  await page.getByRole('menuitemradio', { name: /^Accepting/ }).click();
  await until('accepting again', async () => (await user()).availability === 'accepting');
});

test('an admin gives a schedule, is told what is wrong at its field, and the operator sees what it does', async () => {
  const { page } = admin;
  await page.getByRole('row', { name: /Boris/ }).getByRole('button', { name: /^Edit/ }).click();
  await page.getByRole('link', { name: 'Edit schedule' }).click();
  await page.getByText('Works by hand').waitFor();
  await page.getByLabel(/^Time zone/).fill('Mars/Base');
  await page.getByText('is not a known IANA time zone').waitFor();
  await page.getByLabel(/^Time zone/).fill('Asia/Tashkent');
  await page.getByText('Works in shifts').click();
  assert.equal(await page.locator('section', { hasText: 'Shifts' }).locator('input[type=time]').count(), 10);
  await page.getByText(/Next shift:/).waitFor();
  await page.getByRole('button', { name: 'Add an absence' }).click();
  await page.getByLabel('First day').fill('2020-01-01');
  await page.getByLabel('Last day').fill('2019-01-01');
  await page.getByText('must be after the beginning').waitFor();
  await page.getByLabel('Last day').fill('');
  await page.getByText('Absent until further notice.').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await desk.page.locator('.availability', { hasText: 'Absent' }).waitFor();
  assert.deepEqual([(await user()).availability, (await user()).availability_why], ['off', 'absence']);
  await desk.page.locator('.availability').click();
  await desk.page.getByRole('menuitemradio', { name: /^Accepting/ }).click();
  await desk.page.locator('.availability', { hasText: 'overtime' }).waitFor();
  await page.getByRole('button', { name: /^Remove absence/ }).click();
  await page.getByText('Works in shifts').click();
  await page.getByRole('button', { name: 'Add an absence' }).click();
  await page.getByLabel('Whole days').uncheck();
  await page.getByLabel('Begins').fill('2020-01-01T10:00');
  await page.getByLabel('Ends').fill('2020-01-01T12:00');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await until('an absence by the hour in its time zone', async () => {
    const schedule = await api.get(`/users/${her.id}/schedule`);
    return schedule.absences[0]?.from.startsWith('2020-01-01T05:00') && schedule.absences[0].to.includes('T07:00');
  });
  await page.getByRole('button', { name: /^Remove absence/ }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await until('no schedule again', async () => (await user()).availability_why === 'said');
});

test('a window that nobody touches for ten minutes is away, and back with the first touch', async () => {
  const { page } = desk;
  await page.mouse.move(300, 300);
  await until('there', async () => (await user()).presence === 'online');
  await page.clock.fastForward('10:30');
  await until('away', async () => (await user()).presence === 'away');
  await page.mouse.move(320, 320);
  await until('there again', async () => (await user()).presence === 'online');
  assert.deepEqual([...desk.page.complaints, ...admin.page.complaints], []);
});
