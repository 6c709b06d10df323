/** Holds the weight of what the first page of the inbox loads: 90 KB of script and 15 KB of styles, gzipped. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const assets = new URL('../dist/assets/', import.meta.url).pathname;
const html = readFileSync(join(assets, '../index.html'), 'utf8');
const size = (name) => gzipSync(readFileSync(join(assets, name)), { level: 9 }).length;
const entry = new Set([...html.matchAll(/assets\/([\w.-]+\.(?:js|css))/g)].map((m) => m[1]));
// What the entry imports statically is loaded with it.
for (const name of entry) {
  if (!name.endsWith('.js')) continue;
  for (const m of readFileSync(join(assets, name), 'utf8').matchAll(/(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g))
    entry.add(m[1]);
}
const texts = readdirSync(assets).filter((n) => /^en-.*\.js$/.test(n));
const scripts = [...entry]
  .filter((n) => n.endsWith('.js'))
  .concat(texts)
  .reduce((sum, n) => sum + size(n), 0);
const styles = [...entry].filter((n) => n.endsWith('.css')).reduce((sum, n) => sum + size(n), 0);
const largest = readdirSync(assets)
  .filter((n) => n.endsWith('.js') && !entry.has(n))
  .reduce((max, n) => Math.max(max, size(n)), 0);
console.log(`initial script ${scripts} B, styles ${styles} B, largest lazy chunk ${largest} B (gzip)`);
if (scripts > 90_000 || styles > 15_000 || largest > 80_000) {
  console.error('over budget');
  process.exitCode = 1;
}
