/** Chromium, and the two people in it: the operator in the web app, the visitor in the widget. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Generous: a debug build and a browser share a busy machine, milliseconds. */
export const PATIENCE_MS = 15_000;

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function startBrowser() {
  const executablePath = places.find((place) => place && existsSync(place));
  if (!executablePath) throw new Error('no Chromium found: install chromium, or name one in CHROMIUM');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A window of its own with its own storage. What the page complains about (exceptions, refusals of a content policy)
 * is collected in `page.complaints`, for a test to look at when it is done.
 */
export async function openWindow(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(error.stack ?? String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) page.complaints.push(message.text());
  });
  return page;
}

/** The operator's side of a page. Texts with names in them hold direction marks: match them by pattern. */
export function operator(page) {
  const side = {
    page,
    rows: page.locator('#main [role=option]'),
    row: (text) => page.locator('#main [role=option]', { hasText: text }),
    box: page.locator('.composer textarea'),
    log: page.locator('[role=log]'),
    bubble: (text) => page.locator('[role=log] article', { hasText: text }),
    async signIn(url, { email, password }) {
      await page.goto(url);
      await page.locator('input[type=email]').fill(email);
      await page.locator('input[type=password]').fill(password);
      await page.keyboard.press('Enter');
      await page.locator('#main').waitFor();
    },
    /** Opens a conversation and takes the pointer off the list, which keeps its rows in place under it. */
    async open(text) {
      await side.row(text).click();
      await side.box.waitFor();
      await page.mouse.move(1, 1);
    },
    async write(text) {
      await side.box.fill(text);
      await side.box.press('Enter');
    },
    /** Texts of the open conversation in the order they stand there. */
    texts: () => page.locator('[role=log] article').evaluateAll(bodies, '.foot, .by, .trouble, ul'),
  };
  return side;
}

/** The visitor's side of a page with the widget on it. */
export function visitor(page) {
  const panel = page.locator('switchboard-chat .p');
  const side = {
    page,
    panel,
    launcher: page.locator('switchboard-chat .l'),
    box: panel.locator('.cp textarea'),
    banner: panel.locator('.bn'),
    typing: panel.locator('.ty'),
    bubble: (text) => panel.locator('article.m', { hasText: text }),
    async open() {
      await side.launcher.click();
      await side.box.waitFor();
    },
    async write(text) {
      await side.box.fill(text);
      await side.box.press('Enter');
    },
    texts: () => panel.locator('article.m').evaluateAll(bodies, '.st, .by, .fl, .im'),
  };
  return side;
}

/** Runs in the page: what articles say, without their marks, names and files. */
function bodies(articles, noise) {
  return articles.map((article) => {
    const copy = article.cloneNode(true);
    for (const node of copy.querySelectorAll(noise)) node.remove();
    return copy.textContent.trim();
  });
}

/** Waits until `probe` answers what is wanted; the last answer stands in the error. */
export async function until(what, probe, { timeout = PATIENCE_MS, every = 100 } = {}) {
  const end = Date.now() + timeout;
  let last;
  do {
    last = await probe();
    if (last === true) return;
    await new Promise((resolve) => setTimeout(resolve, every));
  } while (Date.now() < end);
  throw new Error(`not within ${timeout} ms: ${what}; last seen ${JSON.stringify(last)}`);
}
