/** Outgoing webhooks of the made-up server: one that works, one that has trouble, one that was switched off. */
import { id } from './seed.mjs';

const WORDS =
  'message.created message.updated conversation.updated lead.created lead.updated contact.updated submission.created submission.updated operator.updated line.updated channel.updated channel.health quarantine.updated offer.created offer.ended call.updated'.split(
    ' ',
  );
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const secret = () => `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;

function made(name, url, events, more = {}) {
  return {
    id: id('whk'),
    name,
    url,
    events,
    enabled: true,
    secret: null,
    disabled_because: null,
    disabled_at: null,
    health: { state: 'ok', last_success_at: ago(2), last_error: null, last_error_at: null, lag_secs: null },
    failures: 0,
    failing_since: null,
    waiting: 0,
    version: 1,
    created_at: ago(60_000),
    updated_at: ago(4_000),
    ...more,
  };
}

function delivery(webhook, type, state, minutes, more = {}) {
  return {
    id: id('dlv'),
    webhook_id: webhook.id,
    type,
    object_id: id('led'),
    state,
    attempts: 1,
    status: state === 'delivered' ? 200 : null,
    error: null,
    next_attempt_at: null,
    created_at: ago(minutes),
    finished_at: state === 'delivered' ? ago(minutes) : null,
    ...more,
  };
}

const hooks = [
  made('Lamp CRM', 'https://crm.lamps.example/hooks/switchboard', [
    'lead.*',
    'contact.updated',
    'call.updated',
    'deal.*',
  ]),
  made('Warehouse', 'https://warehouse.lamps.example/in?key=17', ['submission.created'], {
    health: {
      state: 'degraded',
      last_success_at: ago(300),
      last_error: 'answered 503',
      last_error_at: ago(3),
      lag_secs: 700,
    },
    failures: 3,
    waiting: 4,
  }),
  made('Old statistics', 'https://stats.lamps.example/collect', ['*'], {
    enabled: false,
    disabled_because: 'gone',
    disabled_at: ago(1_500),
    health: {
      state: 'failed',
      last_success_at: ago(9_000),
      last_error: 'answered 410',
      last_error_at: ago(1_500),
      lag_secs: null,
    },
  }),
];
const log = new Map(
  hooks.map((hook) => [
    hook.id,
    [
      delivery(hook, 'lead.created', 'queued', 3, {
        attempts: 2,
        status: 503,
        error: 'answered 503',
        next_attempt_at: ago(-5),
      }),
      delivery(hook, 'lead.updated', 'delivered', 8),
      delivery(hook, 'call.updated', 'delivered', 15),
      delivery(hook, 'contact.updated', 'failed', 6_000, {
        attempts: 10,
        error: 'no answer in time',
        finished_at: ago(1_000),
      }),
      delivery(hook, 'lead.created', 'delivered', 7_000),
    ],
  ]),
);

/** The answer, or nothing when the question is not about webhooks. */
export function answer(method, path, q, body) {
  const [a, b, c, d, e] = path;
  if (a === 'forms' && b === 'try-notification')
    return [200, { ok: false, detail: 'Bad Request: chat not found. The bot must be a member of the group.' }];
  if (a === 'submissions' && c === 'notifications') {
    const row = (kind, target, state, error = null) => ({
      id: id('ntf'),
      kind,
      target,
      state,
      error,
      attempts: 1,
      next_attempt_at: null,
      created_at: ago(9),
      finished_at: ago(9),
    });
    const items = [
      row('mail', 'sales@lamps.example', 'sent'),
      row('telegram', '-1001420', 'failed', 'Bad Request: chat not found'),
      row('webhook', 'Lamp CRM', 'sent'),
    ];
    return method === 'GET' ? [200, { items, next_cursor: null }] : [200, items[1]];
  }
  if (a !== 'webhooks') return null;
  if (b === 'events') return [200, { items: WORDS.map((type) => ({ type })), next_cursor: null }];
  if (!b && method === 'GET') return [200, { items: hooks, next_cursor: null }];
  if (!b) {
    const hook = made(body.name ?? new URL(body.url).host, body.url, body.events ?? []);
    hook.health = { ...hook.health, state: 'starting', last_success_at: null };
    hooks.push(hook);
    log.set(hook.id, []);
    return [201, { ...hook, secret: secret() }];
  }
  const hook = hooks.find((one) => one.id === b);
  if (!hook) return [404, { type: '/problems/not-found', title: 'Not found', status: 404, detail: 'No such webhook.' }];
  const rows = log.get(hook.id);
  if (c === 'rotate-secret') return [200, { ...hook, secret: secret() }];
  if (c === 'test') {
    rows.unshift(delivery(hook, 'webhook.test', 'delivered', 0));
    return [201, rows[0]];
  }
  if (c === 'replay') return [200, { queued: rows.filter((one) => one.state === 'failed').length }];
  if (c === 'deliveries' && !d) {
    const items = rows.filter(
      (one) => (!q.get('state') || one.state === q.get('state')) && (!q.get('type') || one.type === q.get('type')),
    );
    return [200, { items, next_cursor: null }];
  }
  if (c === 'deliveries') {
    const one = rows.find((row) => row.id === d);
    if (e === 'replay') return [200, Object.assign(one, { state: 'queued', finished_at: null })];
    const attempts = Array.from({ length: Math.min(one.attempts, 3) }, (_, n) => ({
      number: one.attempts - n,
      at: one.created_at,
      millis: 84,
      status: one.status,
      error: one.error,
      answer: one.status === 200 ? '{"ok":true}' : 'Service Unavailable',
    }));
    const data = { id: one.object_id, title: 'Forty pendant lamps', status: 'new', source: 'yandex', event_seq: 4_711 };
    return [200, { ...one, log: attempts, body: { type: one.type, timestamp: one.created_at, data } }];
  }
  if (method === 'DELETE') {
    hooks.splice(hooks.indexOf(hook), 1);
    return [204];
  }
  if (method === 'PATCH') {
    Object.assign(hook, body, { version: hook.version + 1 });
    if (body.enabled) Object.assign(hook, { disabled_because: null, disabled_at: null });
  }
  return [200, hook];
}
