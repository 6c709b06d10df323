import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` sends API calls: the mock (`npm run mock`) unless a running server is named. */
const backend = process.env.SWITCHBOARD_URL ?? 'http://127.0.0.1:4100';
const proxied = ['/api', '/widget', '/demo', '/f', '/health'];

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing becomes a data: URL, so that `default-src 'self'` is enough.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What every screen uses is one file: split by who uses what, it weighs more and changes with each new screen.
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /node_modules\/(svelte|esm-env|clsx|@fluent)\/|src\/(i18n\/(i18n|format)\.svelte\.ts|ui\/(Icon|States|Avatar|Menu|Dialog|Field)\.svelte$|ui\/icons\.ts|app\/(router|track|toast|prefs|session|loader|live|commands|nav|offers|calls|templates)\.|api\/client|core\/(signal|store|ws|outbox|notify|idle|drafts|id|text|keys)\.)/,
            },
          ],
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: backend, ws: true }])),
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
