/** A telephone rings: who it is shows at once, the recording plays afterwards, and a missed call is work. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { client } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { makePhone, report, startRecordings } from './support/phone.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const boris = { email: 'boris@example.com', name: 'Boris Lind', password: 'another lamp, a taller one' };
const CLIENT = '+998901234567';

let server, recordings, browser, api, line, channel, first, second;
const ids = {};
const rings = (fields) => report(server.url, channel.key, { event: 'ringing', from: CLIENT, ...fields });
const says = (event, fields) => report(server.url, channel.key, { event, from: CLIENT, ...fields });
const card = (side, text) => side.page.locator('.calls .card', { hasText: text });
/** Pictures for people: `PICTURES=1 node --test e2e/calls.test.mjs`. */
async function picture(page, name) {
  if (!process.env.PICTURES) return;
  const folder = join(import.meta.dirname, '.artifacts');
  mkdirSync(folder, { recursive: true });
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(folder, `${name}-${scheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const size = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.screenshot({ path: join(folder, `${name}-phone.png`) });
  await page.setViewportSize(size);
}

before(async () => {
  server = await startServer({
    before: withAdmin(anna),
    env: { SWITCHBOARD__SECURITY__ALLOWED_PRIVATE_NETWORKS: '["127.0.0.0/8"]' },
  });
  recordings = await startRecordings();
  api = client(server.url, server.prepared.key);
  ids.anna = (await api.get('/users')).items.find((user) => user.email === anna.email).id;
  ids.boris = (await api.post('/users', { ...boris, role: 'operator' })).id;
  line = await api.post('/lines', {
    name: 'Telephones',
    queue: [{ operator_id: ids.anna }, { operator_id: ids.boris }],
    crm: { create_lead: 'always' },
  });
  channel = await makePhone(api, { line, operators: { 101: ids.anna, 102: ids.boris } });
  browser = await startBrowser();
  first = operator(await openWindow(browser));
  await first.signIn(server.url, anna);
  second = operator(await openWindow(browser));
  await second.signIn(server.url, boris);
  await until(
    'both are there',
    async () => (await api.get('/users')).items.filter((user) => user.presence === 'online').length === 2,
  );
});
after(async () => {
  await browser?.close();
  await recordings?.close();
  await server?.stop();
});

test('whose telephone rings sees within a second who it is and what they dialled', async () => {
  const begun = performance.now();
  await rings({ call_id: 'c1', operator: '101', caller_name: 'Zarina' });
  await card(first, 'Zarina').waitFor();
  const took = performance.now() - begun;
  console.log(`the card was there ${Math.round(took)} ms after the report was sent`);
  assert.ok(took < 1_000, `${took} ms`);
  await card(first, 'Ad: search').getByText('yandex / cpc').waitFor();
  assert.equal(await second.page.locator('.calls .card').count(), 0, 'it does not ring for Boris');
  await picture(first.page, 'call-ringing');
  await spotless(first.page, 'a call that rings');
});

test('a card survives a reload, a key opens the caller, and it goes when somebody answers', async () => {
  await first.page.reload();
  await card(first, 'Zarina').waitFor();
  await first.page.keyboard.press('Alt+KeyO');
  await first.page.waitForURL('**/inbox/all/*');
  await first.log.getByText('Ringing').waitFor();
  await rings({ call_id: 'c2', operator: '102', from: '+998907654321' });
  await card(second, '+998907654321').waitFor();
  await says('answered', { call_id: 'c2', operator: '102', from: '+998907654321' });
  await card(second, '+998907654321').waitFor({ state: 'detached' });
  await says('ended', { call_id: 'c2', from: '+998907654321', disposition: 'answered' });
});

test('the recording comes, and plays from any place at any pace', async () => {
  await says('answered', { call_id: 'c1', operator: '101' });
  await first.log.getByText('On the phone').waitFor();
  await says('ended', { call_id: 'c1', disposition: 'answered', recording_url: recordings.url, recording_secs: 6 });
  const entry = first.log.locator('article', { hasText: 'Answered' });
  await entry.getByRole('button', { name: 'Play' }).waitFor();
  const audio = entry.locator('audio');
  await until('its length is known', () => audio.evaluate((one) => Math.round(one.duration) === 6));
  await entry.getByRole('button', { name: 'Play' }).click();
  await until('it plays', () => audio.evaluate((one) => !one.paused && one.currentTime > 0.2));
  await entry.getByRole('button', { name: /^Speed/ }).click();
  assert.equal(await audio.evaluate((one) => one.playbackRate), 1.25);
  await entry.getByRole('slider').fill('4');
  await until('it plays from there', () => audio.evaluate((one) => one.currentTime >= 4));
  await entry.getByRole('button', { name: 'Pause' }).click();
  await picture(first.page, 'call-entry');
  await spotless(first.page, 'a call with its recording');
});

test('a missed call waits in the queue with its caller, and the list of calls knows them all', async () => {
  await says('ended', { call_id: 'c3', from: '+998911112233' });
  await until('it waits', async () => {
    const { items } = await api.get('/calls?disposition=missed');
    return items.length === 1 && items[0].session_id !== null;
  });
  await first.page.goto(server.url + '/calls');
  const rows = first.page.locator('tbody tr');
  await until('three calls are listed', async () => (await rows.count()) === 3);
  await picture(first.page, 'calls');
  await spotless(first.page, 'the list of calls');
  await first.page.locator('select').nth(1).selectOption('missed');
  await until('one of them was missed', async () => (await rows.count()) === 1);
  await rows.getByText('Missed call').waitFor();
  assert.equal(await rows.getByRole('link', { name: 'Call' }).getAttribute('href'), 'tel:+998911112233');
});

test('an admin finds the addresses to enter, the numbers, the telephones and what came', async () => {
  await first.page.goto(`${server.url}/admin/channels/${channel.id}`);
  await first.page.getByText(`/hooks/voip/${channel.key}`, { exact: false }).first().waitFor();
  assert.equal(await first.page.locator('input[type=tel]').first().inputValue(), '+74951234567');
  await first.page.locator('.chip.stored').first().waitFor();
  await picture(first.page, 'call-channel');
  await spotless(first.page, 'the channel of a telephone system');
  await first.page.getByRole('button', { name: 'Add a number' }).click();
  await first.page.locator('input[type=tel]').nth(1).fill('+74957654321');
  await first.page.getByRole('button', { name: /^Save/ }).click();
  await until('it is kept', async () => {
    const { settings } = await api.get(`/channels/${channel.id}`);
    return '+74957654321' in settings.numbers && settings.numbers['+74951234567'].label === 'Ad: search';
  });
});

test('what is left on the machine is work with its words and its sound', async () => {
  const from = '+998933334455';
  await rings({ call_id: 'v1', from });
  await says('ended', {
    call_id: 'v1',
    from,
    disposition: 'voicemail',
    recording_url: recordings.url,
    recording_secs: 6,
  });
  await says('transcript', { call_id: 'v1', from, transcript: 'The lamp is the wrong colour.' });
  const call = await until('its words are there', async () => {
    const { items } = await api.get('/calls?disposition=voicemail');
    return items.length === 1 && items[0].transcript !== null && items[0].recording !== null;
  }).then(async () => (await api.get('/calls?disposition=voicemail')).items[0]);
  await first.page.goto(`${server.url}/inbox/all/${call.conversation_id}`);
  const entry = first.log.locator('article', { hasText: 'Voicemail' });
  await entry.getByRole('button', { name: 'Play' }).waitFor();
  await entry.getByText('What was said').click();
  await entry.getByText('The lamp is the wrong colour.').waitFor();
  await picture(first.page, 'call-voicemail');
  await spotless(first.page, 'a voicemail');
});

test('a call that rings for nobody in particular shows to whoever stands in the queue, in a team, too', async () => {
  const team = await api.post('/teams', { name: 'Front desk', member_ids: [ids.anna] });
  const other = await api.post('/lines', { name: 'Front desk', queue: [{ team_id: team.id }] });
  const desk = await makePhone(api, { line: other, operators: {}, key: 'desk' });
  await first.page.reload();
  await first.page.locator('#main').waitFor();
  await second.page.reload();
  await second.page.locator('#main').waitFor();
  await report(server.url, desk.key, { event: 'ringing', call_id: 't1', from: '+998955556677', caller_name: 'Temur' });
  await card(first, 'Temur').waitFor();
  assert.equal(await card(second, 'Temur').count(), 0, 'Boris does not stand there');
  await report(server.url, desk.key, { event: 'ended', call_id: 't1', from: '+998955556677', disposition: 'answered' });
  await card(first, 'Temur').waitFor({ state: 'detached' });
});

test('whoever rang before is shown with their lead', async () => {
  const lead = (await api.get('/leads')).items.find((one) => one.source === 'yandex' && one.status !== 'junk');
  const contact = await api.get(`/contacts/${lead.contact_id}`);
  await first.page.goto(`${server.url}/inbox/mine`);
  await rings({ call_id: 'c9', operator: '101', from: contact.phones[0] });
  const known = card(first, contact.phones[0]);
  await known.waitFor();
  assert.equal(await known.locator('a[href^="/leads/"]').getAttribute('href'), `/leads/${lead.id}`);
  await says('ended', { call_id: 'c9', from: contact.phones[0], disposition: 'canceled' });
  await known.waitFor({ state: 'detached' });
});

test('neither window complained', () => {
  assert.deepEqual([...first.page.complaints, ...second.page.complaints], []);
});
