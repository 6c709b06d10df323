/** Telephone calls of the made-up server: one that rings, one with a recording, missed ones, voicemail, one outbound. */
import { id } from './seed.mjs';

const MINUTE = 60_000;
const OURS = '+74951234567';

/** A second of a quiet tone, so that there is something to play. */
function tone() {
  const rate = 8000;
  const samples = rate * 6;
  const file = Buffer.alloc(44 + samples);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + samples, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate, 28);
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples, 40);
  for (let n = 0; n < samples; n += 1) file[44 + n] = 128 + Math.round(20 * Math.sin((2 * Math.PI * 440 * n) / rate));
  return file;
}

/** Puts calls beside what the seed has. */
export function addCalls(db) {
  const [line] = db.lines;
  const [anna, other] = db.users;
  const contact = (n) => db.contacts[n % db.contacts.length];
  const recorded = id('att');
  db.attachments.set(recorded, { id: recorded, name: 'call.wav', content_type: 'audio/wav', data: tone() });
  const call = (minutes, fields) => {
    const started = new Date(Date.now() - minutes * MINUTE).toISOString();
    return {
      id: id('cal'),
      channel_id: 'chn_phone',
      line_id: line.id,
      conversation_id: null,
      contact_id: null,
      contact: null,
      lead_id: null,
      lead_title: null,
      direction: 'inbound',
      from: fields.number ?? null,
      to: OURS,
      number: null,
      number_kind: 'number',
      caller_name: null,
      own_number: OURS,
      own_label: 'Ad: search',
      touch: { utm_source: 'yandex', utm_medium: 'cpc', called_number: OURS },
      state: 'ended',
      disposition: 'answered',
      reason: null,
      cause: null,
      stale: false,
      started_at: started,
      answered_at: null,
      ended_at: started,
      duration_secs: 0,
      ring_secs: 6,
      talk_secs: null,
      operator_id: null,
      operator_name: null,
      extension: null,
      ringing_for: [],
      legs: [],
      recording: null,
      recordings: [],
      transcript: null,
      attempt: 0,
      session_id: null,
      merged_into: null,
      version: 1,
      ...fields,
    };
  };
  const known = (n) => ({ contact_id: contact(n).id, contact: { id: contact(n).id, name: contact(n).name } });
  const talked = (who, secs) => ({
    operator_id: who.id,
    operator_name: who.name,
    extension: '101',
    talk_secs: secs,
    duration_secs: secs + 6,
  });
  db.calls = [
    call(0, {
      number: '+998901234567',
      state: 'ringing',
      disposition: null,
      ended_at: null,
      duration_secs: null,
      ringing_for: [anna.id],
      ...known(0),
    }),
    call(14, {
      number: '+998907654321',
      ...known(1),
      ...talked(anna, 184),
      recording: { attachment_id: recorded, duration_secs: 6, kind: 'conversation' },
      recordings: [{ attachment_id: recorded, kind: 'conversation', state: 'stored', secs: 6, error: null }],
    }),
    call(32, { number: '+998911112233', disposition: 'missed', duration_secs: 21, attempt: 2, session_id: id('ses') }),
    call(47, {
      number: '+4915112345678',
      disposition: 'voicemail',
      duration_secs: 40,
      transcript: 'Good morning, this is Peter Holm. The lamp you sent is the wrong colour. Please call me back.',
      recordings: [{ attachment_id: null, kind: 'voicemail', state: 'fetching', secs: null, error: null }],
    }),
    call(95, {
      from: null,
      number_kind: 'hidden',
      disposition: 'canceled',
      duration_secs: 4,
      own_label: null,
      touch: {},
    }),
    call(240, {
      number: '+998935556677',
      direction: 'outbound',
      from: OURS,
      to: '+998935556677',
      ...known(2),
      ...talked(other, 62),
    }),
  ];
}

/** Answers what belongs to calls; undefined for the rest. */
export function answer(db, method, path, query, body) {
  const [a, b] = path;
  if (a !== 'calls') return undefined;
  if (b === 'phones')
    return [
      200,
      { items: [{ channel_id: 'chn_phone', name: 'PBX', extension: '101', dials: true }], next_cursor: null },
    ];
  if (method === 'POST')
    return [202, { number: body.number ?? '+998901234567', extension: '101', channel_id: 'chn_phone' }];
  const keep = (field) => !query.get(field) || ((call) => String(call[field]) === query.get(field));
  const tests = ['state', 'direction', 'disposition', 'operator_id', 'line_id']
    .map(keep)
    .filter((test) => test !== true);
  const digits = (query.get('number') ?? '').replace(/\D/g, '');
  const items = db.calls.filter((call) => tests.every((test) => test(call)) && (call.number ?? '').includes(digits));
  return [200, { items, next_cursor: null }];
}
