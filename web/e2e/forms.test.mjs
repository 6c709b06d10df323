/** Forms: built in the app, embedded in a site that makes it hard, hosted, without scripts, judged. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signIn } from './support/api.mjs';
import { spotless } from './support/axe.mjs';
import { openWindow, operator, startBrowser, until } from './support/browser.mjs';
import { startFormSite } from './support/formsite.mjs';
import { startServer } from './support/server.mjs';

const admin = { email: 'olga@example.com', name: 'Olga Lind', password: 'forms instead of mails' };
const HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>=1+1';

const settings = {
  title: 'Ask for an offer',
  locale: 'en',
  steps: ['Your wish', 'About you'],
  fields: [
    { name: 'topic', label: 'What about?', type: 'select', options: ['Prices', 'Delivery'], required: true },
    {
      name: 'city',
      label: 'City',
      type: 'text',
      required: true,
      error: 'Where to?',
      show_when: { field: 'topic', is: ['Delivery'] },
      maps_to: 'lead.fields.city',
    },
    { name: 'name', label: 'Your name', type: 'text', step: 2, maps_to: 'contact.name' },
    {
      name: 'phone',
      label: 'Phone',
      type: 'phone',
      required: true,
      step: 2,
      help: 'With the code of the country.',
      maps_to: 'contact.phone',
    },
  ],
  consent: { required: true, text: 'I agree', url: '/privacy' },
  allowed_origins: ['*'],
  translations: {
    fa: {
      title: 'درخواست پیشنهاد',
      consent: 'موافقم',
      steps: ['خواستهٔ شما', 'دربارهٔ شما'],
      fields: {
        topic: { label: 'موضوع', options: ['قیمت‌ها', 'تحویل'] },
        city: { label: 'شهر', error: 'به کجا؟' },
        name: { label: 'نام شما' },
        phone: { label: 'تلفن', help: 'با کد کشور.' },
      },
    },
    ru: { title: 'Запросить предложение', fields: { topic: { label: 'О чём?', options: ['Цены', 'Доставка'] } } },
  },
};

let server, browser, site, api, form, plain, desk;

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
    settings,
  });
  plain = await api.post('/channels', {
    kind: 'webform',
    key: 'plain',
    line_id: made.line.id,
    name: 'Plain form',
    settings: { fields: [{ name: 'name' }, { name: 'phone', type: 'phone', required: true }], moderation: true },
  });
  site = await startFormSite({
    desk: server.url,
    key: form.key,
    plain: () =>
      `<form method="post" action="${server.url}/f/plain"><input name="name" value="Plain Ann"><input name="phone" value="+998901234500"><input name="colour" value="green"><button>Send</button></form>`,
  });
  desk = operator(await openWindow(browser));
  await desk.signIn(server.url, admin);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

const newest = async (channel) => (await api.get(`/submissions?channel=${channel}&limit=1`)).items[0];

test('embedded in a site with a strict policy and a hostile style', async () => {
  const page = await openWindow(browser);
  await page.goto(`${site.origin}/landing?utm_source=ads&utm_campaign=spring&gclid=g1`);
  await page.getByRole('link', { name: 'To the form' }).click();
  const embedded = page.locator('[data-switchboard-form]');
  await embedded.getByRole('heading', { name: 'Ask for an offer' }).waitFor();

  // nothing of the site's style reaches the form
  const look = await embedded
    .locator('label')
    .first()
    .evaluate((label) => {
      const style = getComputedStyle(label);
      return [style.letterSpacing, style.textTransform, style.fontStyle, style.display];
    });
  assert.deepEqual(look, ['normal', 'none', 'normal', 'block']);
  assert.ok(await embedded.locator('select').isVisible());

  const next = embedded.getByRole('button', { name: 'Next' });
  await next.click();
  await embedded.locator('.error', { hasText: /\S/ }).first().waitFor();
  await embedded.locator('select').selectOption('Prices');
  assert.equal(await embedded.getByLabel('City').isVisible(), false);
  await embedded.locator('select').selectOption('Delivery');
  await embedded.getByLabel('City').waitFor();
  await next.click();
  await embedded.getByText('Where to?').waitFor();
  await embedded.getByLabel('City').fill('Samarkand');
  await next.click();
  await embedded.getByText('Step 2 of 2').waitFor();
  await embedded.getByLabel(/Your name/).fill('Emily');
  await embedded.getByLabel('Phone').fill('soon');
  await embedded.getByLabel(/I agree/).check();
  await page.waitForTimeout(2_100); // nobody reads a form faster
  await embedded.getByRole('button', { name: 'Send' }).click();
  await embedded.getByText('This is not a phone number.').waitFor();
  await embedded.getByLabel('Phone').fill('+998 90 123 45 67');
  await spotless(page, 'embedded');
  await embedded.getByRole('button', { name: 'Send' }).click();
  await embedded.getByRole('status').getByText('Thank you').waitFor();
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(await page.context().cookies(), []);

  const sent = await newest(form.id);
  assert.deepEqual(sent.values, { topic: 'Delivery', city: 'Samarkand', name: 'Emily', phone: '+998901234567' });
  assert.equal(sent.state, 'accepted', JSON.stringify(sent));
  assert.deepEqual([sent.consent.given, sent.consent.language, sent.consent.version.length], [true, 'en', 12]);
  const lead = await api.get(`/leads/${sent.lead_id}`);
  assert.equal(lead.source, 'ads');
  assert.equal(lead.attribution.first.gclid, 'g1');
  assert.match(lead.attribution.first.landing_page, /\/landing\?utm_source=ads/);
  await page.context().close();
});

test('the language of the page is the language of the form', async () => {
  const page = await openWindow(browser);
  await page.goto(`${site.origin}/?lang=fa`);
  const embedded = page.locator('[data-switchboard-form]');
  await embedded.getByRole('heading', { name: 'درخواست پیشنهاد' }).waitFor();
  assert.equal(await embedded.locator('section').getAttribute('dir'), 'rtl');
  await spotless(page, 'embedded, Persian');
  await page.context().close();
});

test('plain HTML without scripts', async () => {
  const page = await openWindow(browser, { javaScriptEnabled: false });
  await page.goto(`${site.origin}/plain`);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.waitForURL(/\/f\/plain\/thanks/);
  const sent = await newest(plain.id);
  assert.deepEqual([sent.state, sent.values.name, sent.extra], ['held', 'Plain Ann', { colour: 'green' }]);
  await page.context().close();
});

for (const [locale, heading, next, viewport] of [
  ['en-GB', 'Ask for an offer', 'Next', { width: 1280, height: 900 }],
  ['ru-RU', 'Запросить предложение', 'Далее', { width: 390, height: 800 }],
  ['fa-IR', 'درخواست پیشنهاد', 'بعدی', { width: 390, height: 800 }],
])
  test(`the hosted page step by step, ${locale}`, async () => {
    const page = await openWindow(browser, { locale, viewport });
    await page.goto(`${server.url}/f/offer?utm_source=card`);
    await page.getByRole('heading', { name: heading }).waitFor();
    await page.locator('select').selectOption('Prices');
    await spotless(page, `hosted, ${locale}`);
    await page.getByRole('button', { name: next }).click();
    await page.locator('input[type=tel]').fill('none');
    await page.locator('#consent').check();
    await spotless(page, `hosted, second step, ${locale}`);
    await page.locator('button[type=submit]').click();
    await page.getByRole('alert').waitFor();
    assert.ok(await page.locator('input[type=tel]').isVisible(), 'the step with the error is shown');
    await page.locator('input[type=tel]').fill('+998901234561');
    await page.locator('button[type=submit]').click();
    await page.waitForURL(/\/thanks\?lang=/);
    assert.equal(await page.locator('html').getAttribute('lang'), locale.slice(0, 2));
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

test('without scripts the hosted page asks everything at once and sends', async () => {
  const page = await openWindow(browser, { javaScriptEnabled: false });
  await page.goto(`${server.url}/f/offer`);
  await page.locator('select').selectOption('Prices');
  await page.getByLabel(/Your name/).fill('No Script');
  await page.locator('input[type=tel]').fill('+998901234562');
  await page.locator('#consent').check();
  await page.locator('button[type=submit]').click();
  await page.waitForURL(/\/thanks/);
  assert.equal((await newest(form.id)).values.name, 'No Script');
  await page.context().close();
});

test('the builder: fields by button, order by keyboard, a preview that follows, old pages that go on', async () => {
  const old = await openWindow(browser);
  await old.goto(`${site.origin}/`);
  await old.locator('[data-switchboard-form]').getByRole('heading', { name: 'Ask for an offer' }).waitFor();

  const { page } = desk;
  await page.goto(`${server.url}/admin/channels/${form.id}`);
  const preview = page.frameLocator('iframe[title=Preview]');
  await preview.getByRole('heading', { name: 'Ask for an offer' }).waitFor();
  await page.getByLabel('Heading').fill('Ask for a lamp');
  await preview.getByRole('heading', { name: 'Ask for a lamp' }).waitFor();
  await page.getByRole('group', { name: 'Add a field' }).getByRole('button', { name: 'Number' }).click();
  await page.getByLabel('Label', { exact: true }).fill('How many?');
  await page.locator('.handle').last().focus();
  await page.keyboard.press('Home');
  await preview.getByLabel(/How many/).waitFor();
  await until('the moved card keeps the focus', () =>
    page.evaluate(() => document.activeElement?.closest('li') === document.querySelector('.handle').closest('li')),
  );
  // another name for the phone, that old pages do not know
  await page.locator('.title', { hasText: 'Phone' }).click();
  await page.getByLabel('Name', { exact: true }).last().fill('tel');
  await page.keyboard.press('Tab');
  await page.getByText(/may still send it as: .?phone/).waitFor();
  await page.getByRole('group', { name: 'Language of these texts' }).getByRole('button', { name: 'Persian' }).click();
  await preview.getByRole('heading', { name: 'درخواست پیشنهاد' }).waitFor();
  await spotless(page, 'builder, Persian');
  await page.getByRole('group', { name: 'Language of these texts' }).getByRole('button', { name: 'English' }).click();
  await spotless(page, 'builder');
  const stored = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await page.getByRole('button', { name: /^Save/ }).click();
  assert.equal((await stored).status(), 200);
  const saved = await api.get(`/channels/${form.id}`);
  assert.deepEqual(
    saved.settings.fields.map((field) => [field.name, field.formerly ?? []]),
    [
      ['field1', []],
      ['topic', []],
      ['city', []],
      ['name', []],
      ['tel', ['phone']],
    ],
  );
  assert.deepEqual(page.complaints, []);

  const embedded = old.locator('[data-switchboard-form]');
  await embedded.locator('select').selectOption('Prices');
  await embedded.getByRole('button', { name: 'Next' }).click();
  await embedded.getByLabel('Phone').fill('+998901234563');
  await embedded.getByLabel(/I agree/).check();
  await embedded.getByRole('button', { name: 'Send' }).click();
  await embedded.getByRole('status').getByText('Thank you').waitFor();
  assert.equal((await newest(form.id)).values.tel, '+998901234563');
  await old.context().close();
});

test('submissions are judged by keyboard, in bulk, and taken back; what is written in them runs nowhere', async () => {
  for (let at = 0; at < 3; at++)
    await fetch(`${server.url}/f/plain`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        name: `${HOSTILE} ${at}`,
        phone: `+99890123458${at}`,
        more: HOSTILE,
        utm_source: HOSTILE,
      }),
    });
  const { page } = desk;
  await page.goto(`${server.url}/submissions?state=held`);
  const rows = page.locator('tbody tr');
  await until('all that is held is there', async () => (await rows.count()) === 4);
  await spotless(page, 'tray');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('s');
  await until('two are gone', async () => (await rows.count()) === 2);
  await page.keyboard.press('u');
  await until('two are back', async () => (await rows.count()) === 4);
  await page.locator('tbody .open').first().click();
  await page.locator('dialog[open]').waitFor();
  await spotless(page, 'a submission');
  await page.keyboard.press('Escape');
  await page.keyboard.press('a');
  await page.getByText(/Approving .?1/).waitFor();
  await until('the approval is done', async () => (await rows.count()) === 3, { timeout: 20_000 });
  const [accepted] = (await api.get('/submissions?channel=plain&state=accepted')).items;
  assert.equal(accepted.verdict, 'approved');

  for (const path of [
    `/leads/${accepted.lead_id}`,
    `/inbox/all/${accepted.conversation_id}`,
    `/contacts/${accepted.contact_id}`,
    '/leads',
    '/contacts',
    '/sources',
    '/submissions',
  ]) {
    await page.goto(server.url + path);
    await page.getByText('onerror').first().waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined, path);
    assert.equal(await page.locator('#main img[src="x"]').count(), 0, path);
  }
  assert.deepEqual(page.complaints, []);
});

test('where leads came from', async () => {
  const { page } = desk;
  await page.goto(`${server.url}/sources`);
  await page.locator('tbody tr').first().waitFor();
  assert.ok(await page.getByRole('cell', { name: 'ads', exact: true }).isVisible());
  await spotless(page, 'sources');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download CSV' }).click();
  const file = await (await download).createReadStream();
  let text = '';
  for await (const chunk of file) text += chunk;
  assert.match(text, /^source,medium,campaign,leads,converted,junk\r\n/);
  assert.doesNotMatch(text, /(^|,)[=+@-]/m);
});
