/**
 * Builds the widget into `dist/widget`: `forms.js` (what few visits need) first, `panel.js` (an ES module), then the loader `v1.js` (a classic
 * script) with the hash of the panel's content in it, so that a new panel is never hidden by a cache.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build, defineConfig, type InlineConfig, type Plugin } from 'vite';

const out = resolve(import.meta.dirname, 'dist/widget');
const source = (name: string) => resolve(import.meta.dirname, 'src/widget', name);

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
    .slice(0, 12);

const languages = readdirSync(source('strings'))
  .sort()
  .map((name) => ({ code: name.replace('.json', ''), text: readFileSync(source('strings/' + name), 'utf8') }));
const strings = createHash('sha256')
  .update(languages.map((one) => one.text).join())
  .digest('hex')
  .slice(0, 12);

/** Each language but English is a small module of its own: a visitor loads at most one. */
function translations(): Plugin {
  return {
    name: 'switchboard-strings',
    generateBundle() {
      for (const { code, text } of languages)
        this.emitFile({
          type: 'asset',
          fileName: `strings-${code}.js`,
          source: `export default ${JSON.stringify(JSON.parse(text))}`,
        });
    },
  };
}

/** Builds the loader once the panel is written and its hash is known. */
function loader(): Plugin {
  return {
    name: 'switchboard-loader',
    async writeBundle() {
      await build({
        ...common,
        define: { PANEL: JSON.stringify(`/widget/panel.js?v=${hashOf('panel.js')}`) },
        build: file('loader.ts', 'iife', 'v1.js'),
      });
    },
  };
}

// first, for the panel asks for it by its hash
await build({ ...common, build: { ...file('forms.ts', 'es', 'forms.js'), emptyOutDir: true } });

export default defineConfig({
  publicDir: false,
  define: { STRINGS: JSON.stringify(strings), FORMS: JSON.stringify(hashOf('forms.js')) },
  plugins: [translations(), loader()],
  build: file('panel.ts', 'es', 'panel.js'),
});
