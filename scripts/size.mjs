// Holds the built web files to their budgets, in bytes after gzip, as a browser receives them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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

const all = files(dist);
const index = readFileSync(join(dist, 'index.html'), 'utf8');
/** What the first page names itself is loaded before anything can be seen. */
const initial = all.filter((path) => index.includes(`/${relative(dist, path).replaceAll('\\', '/')}"`));
const widget = (name) => join(dist, 'widget', name);
const app = all.filter((path) => !path.startsWith(join(dist, 'widget')));
const lazy = app.filter((path) => path.endsWith('.js') && !initial.includes(path));

const rows = [
  ['widget loader (every page of a customer)', sum([widget('v1.js')]), 2.5 * KB],
  ['widget panel (when opened)', sum([widget('panel.js')]), 12 * KB],
  ['app, first JavaScript', sum(initial.filter((path) => path.endsWith('.js'))), 90 * KB],
  ['app, first CSS', sum(initial.filter((path) => path.endsWith('.css'))), 15 * KB],
  ['app, largest later chunk', Math.max(0, ...lazy.map(size)), 80 * KB],
  ['everything', sum(all), 600 * KB],
];
if (rows[2][1] === 0) {
  console.error('no script of web/dist is named in index.html: the budgets would hold for nothing');
  process.exit(1);
}

let over = 0;
for (const [what, bytes, budget] of rows) {
  const verdict = bytes <= budget ? 'ok' : 'TOO LARGE';
  if (bytes > budget) over += 1;
  console.log(`${what.padEnd(42)} ${(bytes / KB).toFixed(1).padStart(7)} KB of ${(budget / KB).toFixed(1).padStart(6)}  ${verdict}`);
}
console.log(`${rows.length - over} passed, ${over} failed`);
process.exit(over === 0 ? 0 : 1);
