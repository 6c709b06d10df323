/**
 * Screenshots of every screen, light and dark, wide and at phone width, with an axe check of each.
 *   BASE=http://127.0.0.1:4100 EMAIL=… PASSWORD=… node scripts/shots.mjs [name …]
 * Works against the mock and against a real server. Writes to shots/. Needs chromium (CHROMIUM=/path).
 * Fails when the content policy is violated, a page throws, or axe finds something.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:4100';
const email = process.env.EMAIL ?? 'admin@example.com';
const password = process.env.PASSWORD ?? 'switchboard';
const locale = process.env.LOCALE ?? 'en';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const wanted = process.argv.slice(2);
const out = new URL('../shots/', import.meta.url).pathname;
mkdirSync(out, { recursive: true });

const problems = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

const first = async (page, selector) => {
  await page.locator(selector).first().waitFor();
  return page.locator(selector).first();
};
const openFirst = async (page) => (await first(page, '[role=option]')).click();
const screens = {
  'inbox-empty-thread': ['/inbox/mine'],
  inbox: [
    '/inbox/mine',
    async (page) => {
      await first(page, '[role=option]');
      const busy = page.locator('[role=option]').filter({ hasText: 'Zarina' });
      await ((await busy.count()) ? busy : page.locator('[role=option]')).first().click();
      await page.locator('article').first().waitFor();
      await page.waitForTimeout(500);
    },
  ],
  mail: [
    '/inbox/mine',
    async (page) => {
      await (await first(page, '[role=option]')).waitFor();
      const mail = page.locator('[role=option]').filter({ hasText: 'Карим' });
      if (await mail.count()) await mail.first().click();
      else await openFirst(page);
      await page.waitForTimeout(700);
    },
  ],
  queue: ['/inbox/queue', openFirst],
  note: [
    '/inbox/mine',
    async (page) => {
      await openFirst(page);
      await page.locator('article').first().waitFor();
      await page.keyboard.press('n');
      await page.locator('textarea').fill('Ask the warehouse about the blue one.');
    },
  ],
  transfer: [
    '/inbox/mine',
    async (page) => {
      await openFirst(page);
      await page.locator('article').first().waitFor();
      await page.keyboard.press('t');
      await page.locator('dialog[open]').waitFor();
    },
  ],
  palette: [
    '/inbox/mine',
    async (page) => {
      await first(page, '[role=option]');
      await page.keyboard.press('Control+k');
      await page.locator('dialog[open]').waitFor();
    },
  ],
  shortcuts: [
    '/inbox/mine',
    async (page) => {
      await first(page, '[role=option]');
      await page.keyboard.press('Shift+Slash');
      await page.locator('dialog[open]').waitFor();
    },
  ],
  search: ['/search?q=hello'],
  contacts: ['/contacts'],
  contact: ['/contacts', async (page) => (await first(page, 'td a')).click()],
  leads: ['/leads'],
  lead: ['/leads', async (page) => (await first(page, 'td a')).click()],
  submissions: ['/submissions'],
  deliveries: ['/deliveries'],
  quarantine: ['/quarantine'],
  lines: ['/admin/lines'],
  line: ['/admin/lines', async (page) => (await first(page, 'td a')).click()],
  channels: ['/admin/channels'],
  'channel-webchat': [
    '/admin/channels',
    async (page) => {
      await first(page, 'td a');
      await page.locator('tr', { hasText: 'chat' }).first().locator('a').click();
    },
  ],
  'channel-webform': [
    '/admin/channels',
    async (page) => {
      await first(page, 'td a');
      await page.locator('tr', { hasText: 'orm' }).first().locator('a').click();
    },
  ],
  'channel-email-new': ['/admin/channels/new/email'],
  users: ['/admin/users'],
  user: [
    '/admin/users',
    async (page) => {
      await (await first(page, 'td button')).click();
      await page.locator('dialog[open]').waitFor();
    },
  ],
  teams: ['/admin/teams'],
  apikeys: ['/admin/apikeys'],
  crm: ['/admin/crm', (page) => first(page, 'td a')],
  'crm-new': ['/admin/crm/new/bitrix24', (page) => first(page, 'form')],
  'crm-connection': [
    '/admin/crm',
    async (page) => {
      await page.goto(base + (await (await first(page, 'td a')).getAttribute('href')));
      await page.locator('.rule').first().waitFor();
      await page.locator('.table').first().waitFor();
      await page.locator('#crm-owners').scrollIntoViewIfNeeded();
    },
  ],
  'crm-stopped': [
    '/admin/crm',
    async (page) => {
      await page.goto(base + (await (await first(page, 'td a:has-text("Pipedrive")')).getAttribute('href')));
      await page.locator('.notice.danger').waitFor();
    },
  ],
  profile: ['/profile'],
  'not-found': ['/nowhere'],
};

async function check(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    });
    return result.violations.map(
      (v) =>
        `${v.id}: ${v.nodes
          .slice(0, 3)
          .map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`)
          .join(' | ')}`,
    );
  });
  for (const f of found) problems.push(`${name}: axe ${f}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
  if (wide) problems.push(`${name}: wider than the window`);
}

for (const [mode, colorScheme, viewport] of [
  ['light', 'light', { width: 1440, height: 900 }],
  ['dark', 'dark', { width: 1440, height: 900 }],
  ['phone', 'light', { width: 360, height: 740 }],
  ['phone-dark', 'dark', { width: 360, height: 740 }],
]) {
  if (process.env.MODES && !process.env.MODES.split(',').includes(mode)) continue;
  const context = await browser.newContext({ colorScheme, viewport, locale, bypassCSP: false });
  const page = await context.newPage();
  let name = '';
  page.on('pageerror', (e) => problems.push(`${name}: ${e.message}`));
  page.on('console', (m) => {
    if (/Content Security Policy/.test(m.text())) problems.push(`${name}: ${m.text()}`);
  });
  name = `${mode}/login`;
  await page.goto(`${base}/`);
  await page.locator('input[type=password]').waitFor();
  if (!wanted.length || wanted.includes('login')) {
    await page.screenshot({ path: `${out}login-${mode}.png` });
    await check(page, name);
  }
  await page.locator('input[type=email]').fill(email);
  await page.locator('input[type=password]').fill(password);
  await page.keyboard.press('Enter');
  await page.locator('#main').waitFor();
  for (const [screen, [path, act]] of Object.entries(screens)) {
    if (wanted.length && !wanted.includes(screen)) continue;
    name = `${mode}/${screen}`;
    try {
      await page.goto(base + path);
      await page.locator('#main').waitFor();
      await page.waitForTimeout(400);
      await act?.(page);
      await page.waitForTimeout(500);
      await page.screenshot({ path: `${out}${screen}-${mode}.png` });
      await check(page, name);
    } catch (e) {
      problems.push(`${name}: ${e.message.split('\n')[0]}`);
      await page.screenshot({ path: `${out}${screen}-${mode}.png` });
    }
  }
  await context.close();
}
await browser.close();
for (const p of problems) console.error(p);
console.log(`${problems.length} problems; pictures in ${out}`);
process.exitCode = problems.length ? 1 : 0;
