/** A telephone system: reports signed by Standard Webhooks, and the recordings it keeps. */
import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
export const OURS = '+74951234567';

/** A channel with a number that stands for an advertisement, and who sits at which extension. */
export async function makePhone(api, { line, operators, key = 'pbx' }) {
  return api.post('/channels', {
    kind: 'voip',
    key,
    line_id: line.id,
    name: 'Our telephones',
    settings: {
      provider: 'generic',
      secrets: { signing_secret: SECRET },
      settle_secs: 1,
      numbers: { [OURS]: { label: 'Ad: search', source: 'yandex', medium: 'cpc' } },
      operators,
    },
  });
}

/** Reports something about a call. */
export async function report(url, key, fields) {
  const body = JSON.stringify({ direction: 'inbound', to: OURS, at: new Date().toISOString(), ...fields });
  const id = `msg_${randomUUID()}`;
  const at = Math.floor(Date.now() / 1000);
  const mac = createHmac('sha256', Buffer.from(SECRET.slice('whsec_'.length), 'base64'));
  const signature = mac.update(`${id}.${at}.${body}`).digest('base64');
  const response = await fetch(`${url}/hooks/voip/${key}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(at),
      'webhook-signature': `v1,${signature}`,
    },
    body,
  });
  if (!response.ok) throw new Error(`report: ${response.status} ${await response.text()}`);
}

/** Some seconds of a tone as a WAV file. */
export function tone(seconds) {
  const rate = 8_000;
  const file = Buffer.alloc(44 + rate * seconds, 128);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + rate * seconds, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate, 28);
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34);
  file.write('data', 36);
  file.writeUInt32LE(rate * seconds, 40);
  for (let i = 0; i < rate * seconds; i += 1)
    file[44 + i] = 128 + Math.round(60 * Math.sin((i * 440 * 2 * Math.PI) / rate));
  return file;
}

/** Serves a recording that is not there for the first time it is asked for. */
export async function startRecordings(seconds = 6) {
  const file = tone(seconds);
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    if (asked === 1) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': 'audio/x-wav', 'Content-Length': file.length }).end(file);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/recording.wav`,
    close: () => new Promise((done) => server.close(done)),
  };
}
