/**
 * The widget's own conversation over a wire that delays, cuts and doubles: over ten thousand messages none is lost,
 * none is double, and none is out of order, on either side. FAULTS_MESSAGES and FAULTS_SEED repeat a run otherwise.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, makeChat } from './support/api.mjs';
import { until } from './support/browser.mjs';
import { seeded, startFaults } from './support/faults.mjs';
import { widgetChat } from './support/headless.mjs';
import { startServer, withAdmin } from './support/server.mjs';

const anna = { email: 'anna@example.com', name: 'Anna Berg', password: 'a lamp in the window' };
const MESSAGES = Number(process.env.FAULTS_MESSAGES ?? 10_000);
const SEED = Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);
/** A debug build stores some hundred messages a second; a cut costs the visitor a second and more. */
const PATIENCE_MS = 900_000;

let server, wire, api, chat;

before(async () => {
  server = await startServer({
    before: withAdmin(anna),
    env: { SWITCHBOARD__LIMITS__ENABLED: 'false' },
  });
  api = client(server.url, server.prepared.key);
  await makeChat(api, { operators: [] });
  wire = await startFaults(new URL(server.direct).port, { random: seeded(SEED) });
});
after(async () => {
  chat?.shutdown();
  await wire?.close();
  await server?.stop();
});

test('nothing is lost, double or out of order', { timeout: PATIENCE_MS }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const Chat = await widgetChat();
  const heard = [];
  const host = {
    key: 'shop',
    origin: wire.url,
    options: {},
    attribution: () => undefined,
    emit: () => undefined,
  };
  const words = new Proxy({}, { get: (_, name) => String(name) });
  const parts = { need: () => Promise.reject(new Error('no part is needed here')), get: () => undefined };
  chat = new Chat(
    host,
    parts,
    () => words,
    () => undefined,
    (message) => heard.push(message.text),
  );
  await chat.enter().catch(() => undefined);
  chat.send('0 from the visitor', []);
  await until('the first message', async () => (await api.get('/conversations?view=all')).items.length === 1);
  const conversation = (await api.get('/conversations?view=all')).items[0].id;

  const half = Math.floor(MESSAGES / 2);
  const said = async () => {
    for (let n = 0; n < half; n++)
      await api.post(`/conversations/${conversation}/messages`, { text: `${n} from the desk`, kind: 'reply' });
  };
  const asked = async () => {
    for (let n = 1; n < half; n++) {
      chat.send(`${n} from the visitor`, []);
      // written as fast as they go out, some always ahead
      while (chat.timeline.unconfirmed.length > 5) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all([said(), asked()]);
  wire.heal();
  const count = () => chat.timeline.messages.filter((m) => m.kind !== 'system').length;
  await until(
    'all have come',
    () => (count() === 2 * half && !chat.timeline.unconfirmed.length) || [count(), chat.timeline.unconfirmed.length],
    { timeout: 120_000, every: 200 },
  );

  const stored = (await api.messages(conversation)).filter((m) => m.kind !== 'system');
  const own = (side) => Array.from({ length: half }, (_, n) => `${n} from the ${side}`);
  const of = (all, side) => all.map((m) => m.text).filter((text) => text.endsWith(side));
  for (const side of ['visitor', 'desk']) {
    assert.deepEqual(of(stored, side), own(side), `stored, of the ${side}`);
    assert.deepEqual(of(chat.timeline.messages, side), own(side), `shown, of the ${side}`);
  }
  assert.deepEqual(
    chat.timeline.messages.filter((m) => m.kind !== 'system').map((m) => m.id),
    stored.map((m) => m.id),
    'both sides tell them in one order',
  );
  assert.deepEqual(heard, own('desk'), 'each answer is announced once');
  const { connections, cuts, doubled, late } = wire.counts;
  t.diagnostic(
    `${2 * half} messages; ${connections} connections, ${cuts} cut, ${doubled} doubled; ${late} packets late`,
  );
  assert.ok(cuts > 10 && doubled > 5 && late > 100, 'the wire was bad');
});
