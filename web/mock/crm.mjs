/** CRMs of the made-up server: one that works, one that was refused. */
import { id } from './seed.mjs';

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const schema = {
  type: 'object',
  required: ['webhook_url'],
  properties: {
    webhook_url: {
      type: 'string',
      title: 'Incoming webhook',
      description: 'Bitrix24: Developer resources → Other → Inbound webhook, with the right “crm”.',
      'x-secret': true,
    },
    entity: { type: 'string', title: 'Make', enum: ['lead', 'deal'], default: 'lead' },
  },
};
const adapters = [
  {
    kind: 'bitrix24',
    label: 'Bitrix24',
    settings_schema: schema,
    example: { webhook_url: 'https://lamps.bitrix24.example/rest/1/abc/', entity: 'lead' },
    two_way: true,
    per_second: 2,
  },
  {
    kind: 'pipedrive',
    label: 'Pipedrive',
    settings_schema: {
      type: 'object',
      required: ['api_token'],
      properties: { api_token: { type: 'string', title: 'API token', 'x-secret': true } },
    },
    example: { api_token: 'token' },
    two_way: false,
    per_second: 5,
  },
];

function made(kind, name, more = {}) {
  return {
    id: id('crm'),
    kind,
    name,
    settings: kind === 'bitrix24' ? { webhook_url: null, entity: 'lead' } : { api_token: null },
    mapping: { fields: [], statuses: {}, statuses_back: {}, owners: {} },
    options: { lines: [], transcripts: true, calls: true, remarks: false, two_way: true, language: 'en' },
    state: 'running',
    stopped_because: null,
    stopped_at: null,
    failures: 0,
    blocked_until: null,
    last_success_at: ago(3),
    last_error: null,
    last_error_at: null,
    since_at: ago(60_000),
    backfill: null,
    waiting: 0,
    waiting_since: null,
    dead: 0,
    version: 1,
    created_at: ago(60_000),
    updated_at: ago(900),
    ...more,
  };
}

const rule = (to, kind, from, more = {}) => ({ to, kind, from, constant: null, values: {}, otherwise: null, ...more });
const connections = [
  made('bitrix24', 'Lamps on Bitrix24', {
    waiting: 3,
    dead: 1,
    backfill: { from: ago(200_000), total: 1_240, done: 600 },
    mapping: {
      fields: [
        rule('sourceId', 'choice', 'lead.source', { values: { google: 'ADV', webform: 'WEB' }, otherwise: 'OTHER' }),
        rule('ufCrmBudget', 'number', 'lead.fields.budget'),
        rule('ufCrmBrand', 'text', null, { constant: 'Lamps North' }),
      ],
      statuses: { new: 'NEW', in_progress: 'IN_PROCESS', converted: 'CONVERTED', junk: 'JUNK' },
      statuses_back: { IN_PROCESS: 'in_progress' },
      owners: {},
    },
  }),
  made('pipedrive', 'Pipedrive of the old shop', {
    state: 'stopped',
    stopped_because: 'The API token is not valid any more: make a new one under Personal preferences → API.',
    stopped_at: ago(180),
    waiting: 12,
  }),
];
const job = (connection, title, kind, state, more = {}) => ({
  id: id('crj'),
  connection_id: connection.id,
  lead_id: id('led'),
  lead_title: title,
  kind,
  state,
  attempts: 1,
  next_attempt_at: null,
  reason: null,
  error: null,
  field: null,
  created_at: ago(40),
  finished_at: null,
  ...more,
});
const jobs = [
  job(connections[0], 'Forty pendant lamps', 'lead', 'dead', {
    reason: 'refused',
    error: 'The field must be filled',
    field: 'ufCrmBudget',
  }),
  job(connections[0], 'Repair of a chandelier', 'conversation', 'queued', {
    reason: 'temporary',
    error: 'answered 502',
    attempts: 3,
    next_attempt_at: ago(-4),
  }),
  job(connections[0], 'Lamp for the nursery', 'lead', 'done', { finished_at: ago(30) }),
];
const options = (...pairs) => pairs.map(([id, label]) => ({ id, label }));
const fields = [
  ['sourceId', 'Source', 'choice', false, options(['WEB', 'Web site'], ['ADV', 'Advertising'], ['OTHER', 'Other'])],
  ['ufCrmBudget', 'Budget', 'number', false, []],
  ['ufCrmBrand', 'Brand', 'text', false, []],
  ['ufCrmCity', 'City', 'text', true, []],
  ['comments', 'Comment', 'text', false, []],
].map(([id, label, kind, required, options]) => ({ id, label, kind, required, options }));
const statuses = [
  ['NEW', 'Not processed', 'open'],
  ['IN_PROCESS', 'In progress', 'open'],
  ['CONVERTED', 'Good lead', 'won'],
  ['JUNK', 'Junk lead', 'lost'],
].map(([id, label, stage]) => ({ id, label, stage }));
const users = [
  { id: '1', name: 'Anna Weber', email: 'anna@lamps.example' },
  { id: '7', name: 'Boris Klein', email: 'boris@lamps.example' },
];
const sources = [
  ...'lead.title lead.status lead.source lead.created_at lead.url contact.name contact.phone contact.email company.name line.name channel.name owner.email attribution.utm_source attribution.utm_campaign first.utm_source'
    .split(' ')
    .map((id) => ({ id, label: null })),
  { id: 'lead.fields.budget', label: 'Budget' },
];
const page = (items) => [200, { items, next_cursor: null }];

export function answer(method, path, q, body) {
  const [a, b, c, d] = path;
  if (a === 'leads' && c === 'crm-links')
    return page([
      {
        connection_id: connections[0].id,
        connection_name: connections[0].name,
        kind: 'bitrix24',
        remote_id: '118',
        url: 'https://lamps.bitrix24.example/crm/lead/details/118/',
        merged: false,
        state: 'ok',
        error: null,
        synced_at: ago(3),
      },
    ]);
  if (a === 'crm-adapters') return page(adapters);
  if (a === 'crm-sources') return page(sources);
  if (a !== 'crm-connections') return null;
  if (!b && method === 'GET') return page(connections);
  if (!b) {
    const { enabled, ...more } = body;
    const one = made(body.kind, body.name, { ...more, state: enabled ? 'running' : 'paused', last_success_at: null });
    connections.push(one);
    return [201, one];
  }
  const one = connections.find((known) => known.id === b);
  if (!one)
    return [404, { type: '/problems/not-found', title: 'Not found', status: 404, detail: 'No such connection.' }];
  if (c === 'check') return [200, { ok: true, detail: 'Signed in as Anna Weber; leads may be read and written.' }];
  if (c === 'fields') return page(fields);
  if (c === 'statuses') return page(statuses);
  if (c === 'users') return page(one.kind === 'bitrix24' ? users : []);
  if (c === 'backfill') {
    one.backfill = method === 'DELETE' ? null : { from: body.from, total: 320, done: 0 };
    return [200, one];
  }
  if (c === 'queue' && d) return [200, { changed: body?.ids?.length ?? 1 }];
  if (c === 'queue') {
    const state = q.get('state');
    const mine = jobs.filter((known) => known.connection_id === b);
    return page(mine.filter((known) => (state ? known.state === state : known.error)));
  }
  if (method === 'DELETE') {
    connections.splice(connections.indexOf(one), 1);
    return [204];
  }
  if (method === 'PATCH') {
    const { enabled, ...more } = body;
    Object.assign(one, more, { version: one.version + 1 });
    if (enabled !== undefined) one.state = enabled ? 'running' : 'paused';
  }
  return [200, one];
}
