/** A real server on an empty folder of its own, behind a wire that can be cut. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startProxy } from './proxy.mjs';

const target = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, '../../../target');
const binary = process.env.SWITCHBOARD_BIN ?? join(target, 'debug/switchboard');
/** A debug build on a busy machine may take its time, milliseconds. */
const START_MS = 60_000;
const STOP_MS = 30_000;

/**
 * Starts the server. Answers its public address `url`, its own `direct`, `setupLink` (null once somebody exists), `cut`/`restore` for the
 * wire, `cli` for the command line on the same data, `admin` for a first user with an API key, and `stop`.
 * `before` runs on the empty folder ahead of the start and gets the same `cli`.
 */
export async function startServer({ env: extra = {}, before } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-e2e-'));
  const port = await freePort();
  const proxy = await startProxy(port);
  const env = {
    PATH: process.env.PATH,
    SWITCHBOARD__SERVER__LISTEN: `127.0.0.1:${port}`,
    SWITCHBOARD__SERVER__PUBLIC_URL: proxy.url,
    SWITCHBOARD__DATABASE__URL: `sqlite://${folder}/switchboard.db`,
    SWITCHBOARD__STORAGE__URL: `file://${folder}/files`,
    ...extra,
  };
  const cli = (args, input = '') => run(args, { env, cwd: folder, input });
  const prepared = await before?.(cli);

  const child = spawn(binary, ['serve'], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let log = '';
  const ended = new Promise((done) => child.once('exit', (code) => done(code)));
  await new Promise((ready, reject) => {
    const late = setTimeout(() => reject(new Error(`the server did not start:\n${log}`)), START_MS);
    child.once('error', reject);
    void ended.then((code) => reject(new Error(`the server ended with ${code}:\n${log}`)));
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => {
      log += data;
      if (!/\bserving\b/.test(log)) return;
      clearTimeout(late);
      ready();
    });
  });

  return {
    url: proxy.url,
    /** The address without the wire that can be cut. */
    direct: `http://127.0.0.1:${port}`,
    cli,
    prepared,
    cut: proxy.cut,
    restore: proxy.restore,
    get setupLink() {
      return /http\S+\/setup\?token=\S+/.exec(stdout)?.[0] ?? null;
    },
    /** Everything the server wrote to standard error so far. */
    get log() {
      return log;
    },
    async stop() {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      const code = await ended;
      clearTimeout(kill);
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the server did not stop cleanly (${code}):\n${log.slice(-4_000)}`);
    },
  };
}

/** For `before`: a person who signs in, and a key for the test itself. Answers both. */
export function withAdmin(person) {
  return async (cli) => {
    const { email, name, password } = person;
    await cli(
      ['user', 'create', '--email', email, '--name', name, '--role', 'admin', '--password-stdin'],
      password + '\n',
    );
    const key = await cli(['apikey', 'create', '--name', 'Browser tests', '--role', 'admin']);
    return { key: key.trim() };
  };
}

function run(args, { env, cwd, input }) {
  return new Promise((done, reject) => {
    const child = spawn(binary, args, { env, cwd });
    let out = '';
    let errors = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (errors += data));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? done(out) : reject(new Error(`switchboard ${args.join(' ')} ended with ${code}:\n${errors}`)),
    );
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function freePort() {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
