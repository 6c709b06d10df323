/** The widget's conversation (src/widget/chat.ts) without a page around it, for tests that need thousands of messages. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { WebSocket } from 'ws';

/** As a browser's: an error that nobody listens to is no exception. */
class Socket extends WebSocket {
  constructor(url) {
    super(url);
    this.on('error', () => undefined);
  }
}

const source = resolve(import.meta.dirname, '../../src/widget/chat.ts');

/** The class as the panel uses it, built from its source; and the few things of a browser that it touches. */
export async function widgetChat() {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-widget-'));
  await build({
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    define: { STRINGS: '""', PARTS: '{}' },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      minify: false,
      modulePreload: false,
      rolldownOptions: {
        input: source,
        preserveEntrySignatures: 'strict',
        output: { format: 'es', entryFileNames: 'chat.mjs', codeSplitting: false },
      },
    },
  });
  const kept = new Map();
  Object.assign(globalThis, {
    WebSocket: Socket,
    location: new URL('https://shop.example/'),
    navigator: { language: 'en' },
    addEventListener: () => undefined,
    document: { hidden: false, title: 'Lamp shop', referrer: '', addEventListener: () => undefined },
    localStorage: {
      get length() {
        return kept.size;
      },
      key: (at) => [...kept.keys()][at] ?? null,
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, String(value)),
      removeItem: (name) => void kept.delete(name),
    },
  });
  const { Chat } = await import(pathToFileURL(join(folder, 'chat.mjs')).href);
  await rm(folder, { recursive: true, force: true });
  return Chat;
}
