/**
 * Pictures of every screen of a real server with a day's work in it, light and dark, wide and at phone width.
 *   npm run screens [name …]      MODES=light,dark,phone,phone-dark LOCALE=ru
 * Writes to e2e/.artifacts. Fails when a page throws, a policy is broken or something is wider than its window.
 */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FluentBundle, FluentResource } from '@fluent/bundle';
import { openWindow, operator, startBrowser, visitor } from './support/browser.mjs';
import { startServer } from './support/server.mjs';
import { boss, openShop } from './support/shop.mjs';
import { startSite } from './support/site.mjs';

const out = join(import.meta.dirname, '.artifacts');
mkdirSync(out, { recursive: true });
const wanted = process.argv.slice(2);
const locale = process.env.LOCALE ?? 'en-GB';
/** What the app calls it in the language of the pictures. */
const texts = new FluentBundle(locale, { useIsolating: false });
const textsFolder = join(import.meta.dirname, '../src/i18n');
for (const file of readdirSync(textsFolder))
  if (file.startsWith(`${locale.split('-')[0]}.`) && file.endsWith('.ftl'))
    texts.addResource(new FluentResource(readFileSync(join(textsFolder, file), 'utf8')));
const say = (key, args) => texts.formatPattern(texts.getMessage(key).value, args);

/** What the chat says of a message that has arrived, in that language. */
const { delivered } = JSON.parse(
  readFileSync(join(import.meta.dirname, `../src/widget/strings/${locale.split('-')[0]}.json`), 'utf8'),
);
const modes = {
  light: { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 800 }, hasTouch: true },
  'phone-dark': { colorScheme: 'dark', viewport: { width: 390, height: 800 }, hasTouch: true },
};

const open = (text) => async (page) => {
  await page.locator('#main [role=option]', { hasText: text }).first().click();
  await page.locator('[role=log] article').first().waitFor();
};
const firstOf = (selector) => async (page) => {
  await page.locator(selector).first().click();
  await page.locator('#main h1, #main h2, dialog[open]').first().waitFor();
};
const pressed =
  (key, act = open('Emily')) =>
  async (page) => {
    await act(page);
    await page.keyboard.press(key);
    await page.locator('dialog[open]').waitFor();
  };
/** The card of one of a list, with its history. */
const told = (name) => async (page) => {
  await page.locator('#main').getByRole('link', { name }).first().click();
  await page.locator('.entry').first().waitFor();
};
/** Screens behind the sign-in: path, and what is done there before the picture. */
const inside = {
  'inbox-nothing-open': ['/inbox/mine'],
  inbox: ['/inbox/mine', open('Emily')],
  'inbox-rtl-text': ['/inbox/all', open('نرگس')],
  queue: ['/inbox/queue'],
  all: ['/inbox/all', open('Zarina')],
  closed: ['/inbox/closed'],
  note: [
    '/inbox/mine',
    async (page) => {
      await open('Emily')(page);
      await page.keyboard.press('n');
      await page.locator('.composer textarea').fill('The blue one is in the cellar.');
    },
  ],
  transfer: ['/inbox/mine', pressed('t')],
  tags: ['/inbox/mine', pressed('l')],
  why: [
    '/inbox/mine',
    async (page) => {
      await open('Emily')(page);
      await page.getByRole('button', { name: say('more') }).click();
      await page.getByRole('menuitem', { name: say('why') }).click();
      await page.locator('dialog[open]').waitFor();
    },
  ],
  palette: ['/inbox/mine', pressed('Control+k')],
  shortcuts: ['/inbox/mine', pressed('Shift+Slash')],
  search: ['/search?q=lamp', (page) => page.locator('.hits').nth(1).waitFor()],
  templates: ['/templates'],
  contacts: ['/contacts'],
  contact: ['/contacts', told('Iroda Karimova')],
  'contact-erase': [
    '/contacts',
    async (page) => {
      await firstOf('td a')(page);
      await page.getByRole('button', { name: 'More about this contact' }).first().click();
      await page.getByRole('menuitem', { name: 'Erase…' }).click();
      await page.locator('dialog[open] dl').waitFor();
    },
  ],
  'contact-export': [
    '/contacts',
    async (page) => {
      await firstOf('td a')(page);
      await page.getByRole('button', { name: 'More about this contact' }).first().click();
      await page.getByRole('menuitem', { name: 'Export data…' }).click();
      await page.getByRole('button', { name: 'Make an archive' }).click();
      await page.locator('[data-export=done]').waitFor();
    },
  ],
  audit: ['/admin/audit', (page) => page.locator('tbody tr').first().waitFor()],
  companies: ['/companies'],
  company: ['/companies', told('Harbour Hotels Ltd')],
  'task-quick': ['/inbox/mine', pressed('d')],
  fields: ['/admin/fields'],
  leads: ['/leads'],
  calls: ['/calls'],
  lead: ['/leads', told('Iroda Karimova')],
  wall: ['/wall'],
  'why-nothing': [
    '/wall',
    async (page) => {
      await page.locator('[data-operator] .who button').first().click();
      await page.getByRole('menuitem', { name: say('nothing-ask', { self: 'no' }) }).click();
      await page.locator('dialog[open] h3').first().waitFor();
    },
  ],
  imports: ['/imports'],
  import: [
    '/imports',
    async (page) => {
      await page.locator('input[type=file]').setInputFiles({
        name: 'leads.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(
          'Name;Phone;E-mail;Company;Budget\r\nNora Lind;+7 900 123-45-67;nora@import.example;Lamps & Co;100\r\n' +
            'Rounded;7,90E+10;rounded@import.example;;200\r\nПётр Белов;8 495 123-45-67;petr@;Ромашка;300\r\n',
        ),
      });
      await page.getByRole('heading', { name: say('imports-columns') }).waitFor();
      await page.getByRole('button', { name: say('imports-check'), exact: true }).click();
      await page.getByRole('heading', { name: say('imports-wrong-rows') }).waitFor();
    },
  ],
  'import-deals': [
    '/imports',
    async (page) => {
      await page.locator('input[type=file]').setInputFiles({
        name: 'deals.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(
          'Record ID;Deal Name;Amount;Currency;Deal Stage;Close Date;Contact;E-mail;Company\r\n' +
            '1001;Forty pendant lamps;1 500,50;EUR;Offer sent;24.12.2026;Nora Lind;nora@import.example;Lamps & Co\r\n' +
            '1002;Repair of a chandelier;1.500;EUR;Won;01.05.2026;Пётр Белов;petr@import.example;Ромашка\r\n' +
            '1003;Lamp for the nursery;80;EUR;Somewhere;soon;;;Lamps & Co\r\n',
        ),
      });
      await page.getByRole('heading', { name: say('imports-columns') }).waitFor();
      await page.getByRole('button', { name: say('imports-check'), exact: true }).click();
      await page.getByRole('heading', { name: say('imports-wrong-rows') }).waitFor();
    },
  ],
  submissions: ['/submissions'],
  sources: ['/sources'],
  funnel: ['/funnel'],
  responses: ['/responses'],
  deals: ['/deals'],
  deal: ['/deals', told('Ten lamps for the lobby')],
  tasks: ['/tasks'],
  pipelines: ['/admin/pipelines'],
  deliveries: ['/deliveries'],
  quarantine: ['/quarantine'],
  lines: ['/admin/lines'],
  line: ['/admin/lines', firstOf('td a')],
  'line-retention': [
    '/admin/lines',
    async (page) => {
      await firstOf('td a')(page);
      await page.getByLabel('Conversations', { exact: true }).fill('90');
      await page.getByLabel('Contacts', { exact: true }).fill('365');
      await page.getByRole('button', { name: 'What would go now?' }).click();
      await page.locator('.notice', { hasText: 'When saved now' }).scrollIntoViewIfNeeded();
    },
  ],
  'line-hours': [
    '/admin/lines',
    async (page) => {
      await firstOf('td a')(page);
      await page.getByLabel(say('hours-by')).check();
      await page.locator('#hours').evaluate((hours) => hours.scrollIntoView({ block: 'start' }));
      await page
        .getByTestId('opening')
        .filter({ hasNotText: say('loading') })
        .waitFor();
    },
  ],
  'line-timers': [
    '/admin/lines',
    async (page) => {
      await firstOf('td a')(page);
      const timers = page.locator('section', { has: page.getByRole('heading', { name: say('timers') }) });
      await timers.getByRole('combobox').selectOption({ index: 1 });
      await timers.getByLabel(say('auto-close-after')).fill('60');
      await timers.getByLabel(say('auto-close-after')).blur();
      await timers.scrollIntoViewIfNeeded();
    },
  ],
  'line-texts': [
    '/admin/lines',
    async (page) => {
      await firstOf('td a')(page);
      const texts = page.locator('#line-texts');
      await texts.getByLabel('Language of these texts').selectOption('en');
      await texts.getByLabel('Welcome', { exact: true }).fill('Hello, {{contact.name}}! This is {{line.name}}.');
      await texts.getByLabel('Outside the hours', { exact: true }).selectOption('text');
      await texts.getByLabel('Text outside the hours', { exact: true }).fill('We open {{opens_at}}. {{nobody.knows}}');
      await texts.getByLabel('Ask for a rating').check();
      await texts.scrollIntoViewIfNeeded();
      await texts.getByLabel('Text outside the hours', { exact: true }).scrollIntoViewIfNeeded();
    },
  ],
  'line-texts-translated': [
    '/admin/lines',
    async (page) => {
      await firstOf('td a')(page);
      const texts = page.locator('#line-texts');
      await texts.getByLabel('Welcome', { exact: true }).fill('Hello, {{contact.name}}! This is {{line.name}}.');
      await texts.getByLabel('Add a language…').selectOption('de');
      await texts.getByLabel('Welcome', { exact: true }).fill('Guten Tag, {{contact.name}}! Hier ist {{line.name}}.');
      await texts.getByLabel('Welcome', { exact: true }).scrollIntoViewIfNeeded();
    },
  ],
  simulation: [
    '/simulation',
    async (page) => {
      await page.getByRole('button', { name: say('sim-run'), exact: true }).click();
      await page.locator('#sim-results').waitFor();
      await page.locator('#sim-results').evaluate((heading) => heading.scrollIntoView());
    },
  ],
  'simulation-form': [
    '/simulation',
    (page) => page.getByRole('button', { name: say('sim-run'), exact: true }).waitFor(),
  ],
  'simulation-none': [
    '/simulation',
    async (page) => {
      await page.getByLabel(say('sim-from'), { exact: true }).fill('2020-01-01');
      await page.getByLabel(say('sim-to')).fill('2020-01-02');
      await page.getByRole('button', { name: say('sim-run'), exact: true }).click();
      await page.getByRole('heading', { name: say('sim-none') }).waitFor();
    },
  ],
  channels: ['/admin/channels'],
  'channel-chat': ['/admin/channels', firstOf('td a:has-text("Shop chat")')],
  'channel-form': [
    '/admin/channels',
    async (page) => {
      await firstOf('td a:has-text("form")')(page);
      await page.locator('iframe').contentFrame().locator('form').waitFor();
    },
  ],
  'channel-mail': ['/admin/channels', firstOf('td a:has-text("hello@")')],
  'channel-mail-new': ['/admin/channels/new/email'],
  users: ['/admin/users'],
  user: ['/admin/users', firstOf('td button:not(.icon)')],
  schedule: [
    '/admin/users',
    async (page) => {
      await firstOf('td button:not(.icon)')(page);
      await page.getByRole('link', { name: say('schedule-edit') }).click();
      await page.getByText(say('schedule-on')).click();
      await page.getByRole('button', { name: say('absence-add') }).click();
      await page.getByRole('button', { name: say('absence-add') }).click();
      await page.getByLabel(say('absence-days')).last().uncheck();
      await page
        .getByRole('button', { name: new RegExp(`^${say('add')}:.*${say('break')}`) })
        .first()
        .click();
    },
  ],
  'schedule-top': [
    '/admin/users',
    async (page) => {
      await firstOf('td button:not(.icon)')(page);
      await page.getByRole('link', { name: say('schedule-edit') }).click();
      await page.getByText(say('schedule-on')).click();
      await page.getByLabel(new RegExp(`^${say('time-zone')}`)).fill('Mars/Base');
      await page.getByText(/is not a known/).waitFor();
    },
  ],
  pause: [
    '/inbox/mine',
    async (page) => {
      const menu = page.getByRole('button', { name: say('menu'), exact: true });
      if (await menu.isVisible()) await menu.click();
      await page.locator('.availability').click();
      await page.getByRole('menuitemradio', { name: new RegExp(say('pause-reason-lunch')) }).waitFor();
    },
  ],
  teams: ['/admin/teams'],
  roles: ['/admin/roles'],
  role: [
    '/admin/roles',
    async (page) => {
      await page.getByRole('button', { name: 'Copy: Operator' }).click();
      await page.getByLabel('Deals: Change').selectOption('own');
    },
  ],
  capacity: ['/admin/capacity'],
  'api-keys': ['/admin/apikeys'],
  webhooks: ['/admin/webhooks'],
  'webhook-new': ['/admin/webhooks/new', (page) => page.getByLabel('lead.created').waitFor()],
  webhook: [
    '/admin/webhooks',
    async (page) => {
      await firstOf('td a:has-text("Lamp CRM")')(page);
      await page.getByRole('button', { name: 'webhook.test' }).first().waitFor();
    },
  ],
  'webhook-delivery': [
    '/admin/webhooks',
    async (page) => {
      await firstOf('td a:has-text("Lamp CRM")')(page);
      await page.getByRole('button', { name: 'webhook.test' }).first().click();
      await page.locator('dialog[open] pre').first().waitFor();
    },
  ],
  crm: ['/admin/crm'],
  'one-c': ['/admin/1c'],
  'one-c-new': ['/admin/1c/new'],
  'one-c-exchange': ['/admin/1c', firstOf('td a:has-text("Warehouse")')],
  'one-c-files': [
    '/admin/1c',
    async (page) => {
      await firstOf('td a:has-text("Warehouse")')(page);
      await page.locator('#commerce-files').scrollIntoViewIfNeeded();
      await page.getByText('orders_1.xml').waitFor();
      await page.mouse.wheel(0, 2000);
    },
  ],
  'one-c-deal': [
    '/deals',
    async (page) => {
      await page.getByText('Заказ УТ-0042').first().click();
      await page.getByText('Чайник').waitFor();
    },
  ],
  'form-notifications': [
    '/admin/channels',
    async (page) => {
      await firstOf('td a:has-text("form")')(page);
      const part = page.locator('#form-notifications');
      for (const way of ['Mail', 'Telegram', 'Webhook'])
        await part.getByRole('button', { name: way, exact: true }).last().click();
      await part.scrollIntoViewIfNeeded();
    },
  ],
  profile: ['/profile'],
  'not-found': ['/nowhere'],
};

const problems = [];
const server = await startServer({ env: { SWITCHBOARD__LIMITS__ENABLED: 'false' } });
const browser = await startBrowser();
const shown = (name) => wanted.length === 0 || wanted.includes(name);

async function picture(page, name, mode) {
  // pictures, fonts and the ends of transitions
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined))));
  await page.screenshot({ path: join(out, `${name}-${mode}.png`), animations: 'disabled' });
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1))
    problems.push(`${name}-${mode}: wider than the window`);
  for (const complaint of page.complaints.splice(0)) problems.push(`${name}-${mode}: ${complaint}`);
}

/** Runs with a window of its own for each wanted mode. */
async function eachMode(act) {
  for (const [mode, options] of Object.entries(modes)) {
    if (process.env.MODES && !process.env.MODES.split(',').includes(mode)) continue;
    const page = await openWindow(browser, { ...options, locale, reducedMotion: 'reduce' });
    try {
      await act(page, mode);
    } catch (error) {
      problems.push(`${mode}: ${error.stack}`);
    }
    await page.context().close();
  }
}

const take = (name, path, act) => async (page, mode) => {
  if (!shown(name)) return;
  try {
    await page.goto(server.url + path);
    await act?.(page);
  } catch (error) {
    problems.push(`${name}-${mode}: ${error.message.split('\n')[0]}`);
  }
  await picture(page, name, mode);
};

// before anybody exists
const token = new URL(server.setupLink);
await eachMode(take('setup', token.pathname + token.search, (page) => page.locator('input[type=email]').waitFor()));
const shop = await openShop(server);
await eachMode(take('setup-used', token.pathname + token.search));
await eachMode(take('login', '/', (page) => page.locator('input[type=password]').waitFor()));

await eachMode(async (page, mode) => {
  await operator(page).signIn(server.url, boss);
  for (const [name, [path, act]] of Object.entries(inside)) {
    await take(name, path, async () => {
      await page.locator('#main').waitFor();
      await page.waitForLoadState('networkidle');
      await act?.(page);
    })(page, mode);
  }
});

await eachMode(async (page, mode) => {
  await take('form', shop.form_url)(page, mode);
  await take('form-complaint', shop.form_url, async () => {
    await page.getByLabel(/Your name/).fill('Peter Holm');
    await page.getByLabel(/Phone/).fill('none');
    await page.locator('form button[type=submit]').click();
    await page.getByRole('alert').waitFor();
  })(page, mode);
  await take('form-thanks', shop.form_url, async () => {
    await page.getByLabel(/Your name/).fill('Peter Holm');
    await page.locator('form button[type=submit]').click();
    await page.getByRole('status').waitFor();
  })(page, mode);
  await take('demo', shop.demo_url)(page, mode);
});

// the widget: on the demo page, and where a site's style tries its worst
const site = await startSite({ widget: server.url, key: shop.webchat.key });
for (const [name, address] of [
  ['widget', server.url + shop.demo_url],
  ['widget-hostile', site.origin],
]) {
  if (!shown(name)) continue;
  await eachMode(async (page, mode) => {
    const guest = visitor(page);
    await page.goto(address);
    await guest.open();
    await picture(page, name + '-empty', mode);
    await guest.write('Do you have this lamp in brass? https://lamps.example/brass');
    await guest.write('And how long does it take?');
    await guest.bubble('how long').getByText(delivered).waitFor();
    const { items } = await shop.api.get('/conversations?view=all&limit=200');
    const conversation = items.find((one) => one.last_message?.text === 'And how long does it take?');
    await shop.api.post(`/conversations/${conversation.id}/messages`, {
      kind: 'reply',
      text: 'We do. Brass takes a week, and we engrave it for free.',
      client_id: crypto.randomUUID(),
    });
    await guest.bubble('engrave it').waitFor();
    await picture(page, name, mode);
    await shop.api.post(`/conversations/${conversation.id}/close`, { reason: 'done' });
  });
}

await site.close();
await browser.close();
await server.stop();
for (const problem of problems) console.error(problem);
console.log(`${problems.length} problems; the pictures are in ${out}`);
process.exitCode = problems.length ? 1 : 0;
