// Runs examples/voximplant/scenario.js on a stage that stands for VoxEngine: `node voxengine.mjs inbound|click TOKEN`.
// Each report that the scenario posts is one line on stdout: {"headers": {…}, "body": "…"}.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const [, , act, token] = process.argv;
const file = new URL('../../examples/voximplant/scenario.js', import.meta.url);
const scenario = readFileSync(file, 'utf8').replace("'TOKEN'", JSON.stringify(token));

const AppEvents = { CallAlerting: 'CallAlerting', Started: 'Started' };
const CallEvents = { Connected: 'Connected', Failed: 'Failed', Disconnected: 'Disconnected', RecordStarted: 'RecordStarted' };

class Stage {
  listeners = new Map();
  addEventListener(kind, listener) {
    this.listeners.set(kind, [...(this.listeners.get(kind) ?? []), listener]);
  }
  fire(kind, event) {
    return Promise.all((this.listeners.get(kind) ?? []).map((listener) => listener(event)));
  }
}

class Call extends Stage {
  constructor(from, to) {
    super();
    Object.assign(this, { from, to, ended: false });
  }
  callerid() { return this.from; }
  number() { return this.to; }
  answer() { this.answered = true; }
  record() { this.fire(CallEvents.RecordStarted, { url: 'https://storage.example/r1.mp3' }); }
  reject() { this.fire(CallEvents.Failed, {}); }
  hangup() {
    if (this.ended) return;
    this.ended = true;
    this.fire(CallEvents.Disconnected, {});
  }
}

const legs = [];
// The first telephone is not picked up, the second is.
function leg(to, picksUp) {
  const made = new Call('', to);
  legs.push(made);
  setTimeout(() => made.fire(picksUp ? CallEvents.Connected : CallEvents.Failed, {}), 20);
  return made;
}

const VoxEngine = Object.assign(new Stage(), {
  getSessionId: () => 4711,
  customData: () => (act === 'click' ? JSON.stringify({ type: 'call.dial', id: 'w1', operator: '101', to: '+79161234567', from: '+74951234567' }) : ''),
  callUser: ({ username }) => leg(username, act === 'click' || username === '102'),
  callPSTN: (number) => leg(number, true),
  sendMediaBetween: () => {},
  terminate: () => process.exit(0),
});

const Net = {
  async httpRequestAsync(url, { method, headers = [], postData }) {
    if (method === 'GET') return { code: 200, text: JSON.stringify({ extensions: ['101', '102'], ring_secs: 20 }) };
    const named = Object.fromEntries(headers.map((header) => header.split(': ')));
    process.stdout.write(JSON.stringify({ headers: named, body: postData }) + '\n');
    const { event } = JSON.parse(postData);
    // People talk, and then the client hangs up.
    const client = act === 'click' ? legs[1] : incoming;
    if (event === 'answered') setTimeout(() => client.hangup(), 50);
    return { code: 200, text: '' };
  },
};
const Crypto = { hmac_sha256: (key, text) => createHmac('sha256', key).update(text).digest('hex') };

const incoming = new Call('+79161234567', '+74951234567');
vm.runInNewContext(scenario, { VoxEngine, AppEvents, CallEvents, Net, Crypto, setTimeout, clearTimeout, Date, JSON, String, Math, Promise, Object, encodeURIComponent });
await VoxEngine.fire(AppEvents.Started, {});
if (act === 'inbound') await VoxEngine.fire(AppEvents.CallAlerting, { call: incoming });
