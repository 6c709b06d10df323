/**
 * Builds the widget into `dist/widget`: first the parts that few visits need (ES modules of their own), then `panel.js`
 * with their hashes in it, then the loader `v1.js` (a classic script) with the hash of the panel, so that nothing new is
 * ever hidden by a cache. A loader or a panel of yesterday gets today's parts: the query is for caches alone.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { build, defineConfig, type InlineConfig, type Plugin } from 'vite';

const out = resolve(import.meta.dirname, 'dist/widget');
const source = (name: string) => resolve(import.meta.dirname, 'src/widget', name);

/**
 * Vite wraps each `import()` into a loader of style sheets that the widget does not have: more than a kilobyte of
 * the panel.
 */
function bareImports(): Plugin {
  return {
    name: 'switchboard-bare-imports',
    // what Vite builds for workers, which cannot load style sheets, is left as it is written
    configResolved: (config) => void Object.assign(config, { isWorker: true }),
  };
}

const common = {
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
} satisfies InlineConfig;

/** Options of one output file. Not a "lib" build: that leaves ES modules unminified. */
function file(entry: string, format: 'es' | 'iife', name: string): NonNullable<InlineConfig['build']> {
  return {
    outDir: out,
    emptyOutDir: false,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: source(entry),
      preserveEntrySignatures: format === 'es' ? 'strict' : false,
      output: { format, entryFileNames: name, codeSplitting: false, minify: true },
    },
  };
}

const hashOf = (name: string) =>
  createHash('sha256')
    .update(readFileSync(resolve(out, name)))
    .digest('hex')
    .slice(0, 8);

const languages = readdirSync(source('strings'))
  .sort()
  .map((name) => ({ code: name.replace('.json', ''), text: readFileSync(source('strings/' + name), 'utf8') }));
const english = JSON.parse(readFileSync(source('strings/en.json'), 'utf8')) as object;
const strings = createHash('sha256')
  .update(languages.map((one) => one.text).join())
  .digest('hex')
  .slice(0, 8);

/** Each language is a small module of its own: a visitor loads one. */
function translations(): Plugin {
  return {
    name: 'switchboard-strings',
    generateBundle() {
      for (const { code, text } of languages)
        this.emitFile({
          type: 'asset',
          fileName: `strings-${code}.js`,
          source: `export default ${JSON.stringify({ ...english, ...(JSON.parse(text) as object) })}`,
        });
    },
  };
}

/** What the panel asks for when it is used, and what the loader does. */
const PARTS = ['forms', 'files', 'tools', 'work'];

/** Builds the loader once the panel is written and its hash is known. */
function loader(): Plugin {
  return {
    name: 'switchboard-loader',
    async writeBundle() {
      await build({
        ...common,
        define: {
          PANEL: JSON.stringify(`/widget/panel.js?v=${hashOf('panel.js')}`),
          INVITE: JSON.stringify(`/widget/invite.js?v=${hashOf('invite.js')}`),
        },
        build: file('loader.ts', 'iife', 'v1.js'),
      });
    },
  };
}

// first, for the panel and the loader ask for them by their hashes
rmSync(out, { recursive: true, force: true });
for (const part of [...PARTS, 'invite']) {
  // the word of a language's hash is not used by parts, but their common files may name it
  await build({ ...common, define: { STRINGS: '""' }, build: file(part + '.ts', 'es', part + '.js') });
}

export default defineConfig({
  publicDir: false,
  define: {
    STRINGS: JSON.stringify(strings),
    PARTS: JSON.stringify(Object.fromEntries(PARTS.map((part) => [part, hashOf(part + '.js')]))),
  },
  plugins: [bareImports(), translations(), loader()],
  build: file('panel.ts', 'es', 'panel.js'),
});
