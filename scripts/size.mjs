// Holds the widget, and all built web files together, to their budgets: bytes after gzip, as a browser receives them.
// What the inbox itself loads first is held by web/scripts/size.mjs.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'web', 'dist');
const KB = 1000;

if (!existsSync(join(dist, 'index.html'))) {
  console.error('web/dist is not built: run make build or scripts/web build');
  process.exit(1);
}

/** Every file below a folder. */
function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}
const size = (path) => gzipSync(readFileSync(path), { level: 9 }).length;
const sum = (paths) => paths.reduce((total, path) => total + size(path), 0);

const widget = (name) => join(dist, 'widget', name);

const languages = readdirSync(join(dist, 'widget')).filter((name) => name.startsWith('strings-'));
const language = Math.max(...languages.map((name) => sum([widget(name)])));

const rows = [
  ['widget loader (every page of a customer)', sum([widget('v1.js')]), 2 * KB],
  ['widget panel (when opened)', sum([widget('panel.js')]), 14 * KB],
  ['widget language (one, the largest)', language, 1.5 * KB],
  ['what a first message needs: both', sum([widget('panel.js')]) + language, 15 * KB],
  ['widget forms (when asked for)', sum([widget('forms.js')]), 2.5 * KB],
  ['widget files (with a first file)', sum([widget('files.js')]), 2.5 * KB],
  ['widget tools (menu, emoji, sound)', sum([widget('tools.js')]), 2.2 * KB],
  ['widget invitations (where there are some)', sum([widget('invite.js')]), 2.4 * KB],
  ['widget proof of work (under attack)', sum([widget('work.js')]), 1 * KB],
  ['everything', sum(files(dist)), 600 * KB],
];

let over = 0;
for (const [what, bytes, budget] of rows) {
  const verdict = bytes <= budget ? 'ok' : 'TOO LARGE';
  if (bytes > budget) over += 1;
  console.log(`${what.padEnd(42)} ${(bytes / KB).toFixed(1).padStart(7)} KB of ${(budget / KB).toFixed(1).padStart(6)}  ${verdict}`);
}
console.log(`${rows.length - over} passed, ${over} failed`);
process.exit(over === 0 ? 0 : 1);
