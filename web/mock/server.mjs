/**
 * An in-memory server with the part of the public API that the web app uses, for development and screenshots without
 * the Rust server: `npm run mock` (port 4100, or PORT). Also serves `dist/` with the strict policy of the real one.
 * Sign in: admin@example.com / switchboard. MOCK_SETUP=1 starts as on a first run (/setup?token=demo-token).
 * A reply with the text "fail" fails to deliver; "refuse" is refused with 422; contacts answer whatever else is sent.
 */
import { forms } from './forms.mjs';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { connectors, id, seed } from './seed.mjs';
import { addCalls, answer as callsAnswer } from './calls.mjs';
import { addFields, answer as mailAnswer } from './mail.mjs';
import { addPeople, answer as peopleAnswer } from './people.mjs';
import { answer as dealsAnswer } from './deals.mjs';
import { answer as importsAnswer } from './imports.mjs';
import { answer as wallAnswer } from './wall.mjs';
import { answer as crmAnswer } from './crm.mjs';
import { answer as webhookAnswer } from './webhooks.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const db = seed();
addFields(db);
addPeople(db);
addCalls(db);
const sockets = new Set();
const sessions = new Map();
const submitted = new Map();
let setupDone = !process.env.MOCK_SETUP;
let refuseUntil = 0;
const quiet = Boolean(process.env.MOCK_QUIET);

const now = () => new Date().toISOString();
const pub = ({ password: _password, ...u }) => u;
class Problem extends Error {
  constructor(status, type, detail, errors = []) {
    super(detail);
    Object.assign(this, { status, type, detail, errors });
  }
}
const fail = (status, type, detail, errors) => {
  throw new Problem(status, type, detail, errors);
};
const find = (list, key) => list.find((x) => x.id === key) ?? fail(404, 'not-found', 'There is no such thing.');

function emit(type, data) {
  const frame = { seq: ++db.seq, type, at: now(), data: structuredClone(data) };
  db.log.push(frame);
  for (const s of sockets) s.send(JSON.stringify(frame));
}
const transient = (frame) => sockets.forEach((s) => s.send(JSON.stringify(frame)));
function touch(c, keep) {
  c.version += 1;
  if (!keep) c.updated_at = now();
  emit('conversation.updated', c);
  return c;
}
function say(c, kind, author, text, extra = {}) {
  const m = {
    id: id('msg'),
    conversation_id: c.id,
    seq: ++c.last_seq,
    kind,
    author,
    text,
    html: null,
    attachments: [],
    external_id: null,
    client_id: null,
    recipients: [],
    mode: null,
    delivery: kind === 'reply' ? { state: 'queued', attempts: 0, error: null } : null,
    automatic: false,
    new_participant: false,
    reply_to: null,
    quote: null,
    origin: null,
    location: null,
    missing_files: [],
    buttons: [],
    edited_at: null,
    deleted: null,
    reactions: [],
    change: null,
    created_at: now(),
    ...extra,
  };
  db.messages.push(m);
  if (kind !== 'system') c.last_message = { id: m.id, text: m.text, kind, at: m.created_at };
  if (kind === 'inbound') c.unread += 1;
  emit('message.created', m);
  touch(c);
  return m;
}
const system = (c, text) => say(c, 'system', { type: 'system', id: null, name: null }, text);
const later = (ms, task) => setTimeout(task, ms).unref();
function deliver(c, m) {
  const set = (state, error = null) => {
    m.delivery = { state, attempts: m.delivery.attempts + (state === 'sending' ? 1 : 0), error };
    emit('message.updated', m);
  };
  later(150, () => set('sending'));
  if (m.text?.includes('fail')) return later(700, () => set('failed', 'The provider refused the address'));
  later(500, () => set('sent'));
  later(1200, () => set('delivered'));
  if (quiet) return;
  later(2500, () => set('read'));
  later(3000, () =>
    transient({
      type: 'typing',
      data: { conversation_id: c.id, author: { type: 'contact', id: c.contact.id, name: c.contact.name } },
    }),
  );
  later(5500, () =>
    say(
      c,
      'inbound',
      { type: 'contact', id: c.contact.id, name: c.contact.name },
      `I see: “${m.text?.slice(0, 60)}”. Thank you!`,
    ),
  );
}

const page = (items, q, key = (x) => x.id) => {
  const limit = Math.min(200, Number(q.get('limit') ?? 50));
  const start = q.get('cursor') ? items.findIndex((x) => key(x) === q.get('cursor')) + 1 : 0;
  const slice = items.slice(start, start + limit);
  return { items: slice, next_cursor: start + limit < items.length ? key(slice.at(-1)) : null };
};
const inView = (c, view, me) =>
  view === 'mine'
    ? c.session.state === 'assigned' && c.session.operator_id === me.id && !c.snoozed_until
    : view === 'queue'
      ? ['waiting', 'offered'].includes(c.session.state)
      : view === 'closed'
        ? c.session.state === 'closed'
        : c.session.state !== 'closed';

const actions = {
  take(c, me) {
    if (c.session.operator_id && c.session.operator_id !== me.id && me.role === 'operator')
      fail(409, 'conflict', 'Somebody else has taken it.');
    Object.assign(c.session, { state: 'assigned', operator_id: me.id });
    system(c, `Taken by ${me.name}`);
  },
  return(c) {
    Object.assign(c.session, { state: 'waiting', operator_id: null, waiting_since: now() });
    system(c, 'Returned to the queue');
  },
  transfer(c, me, b) {
    if (b.to_operator) {
      const u = find(db.users, b.to_operator);
      Object.assign(c.session, { state: 'assigned', operator_id: u.id });
      system(c, `Transferred to ${u.name}${b.comment ? `: ${b.comment}` : ''}`);
    } else {
      const l = find(db.lines, b.to_line);
      c.line_id = l.id;
      c.line_name = l.name;
      actions.return(c);
    }
  },
  close(c, me, b) {
    Object.assign(c.session, { state: 'closed', closed_at: now(), close_reason: b.reason ?? 'answered' });
    system(c, `Closed by ${me.name}`);
  },
  reopen(c, me) {
    Object.assign(c.session, { state: 'assigned', operator_id: me.id, closed_at: null, close_reason: null });
    system(c, `Reopened by ${me.name}`);
  },
  spam(c, me) {
    Object.assign(c.session, { state: 'closed', closed_at: now(), close_reason: 'spam' });
    system(c, `Marked as spam by ${me.name}`);
  },
  tags(c, _me, b) {
    c.tags = [...new Set([...c.tags, ...(b.add ?? [])])].filter((t) => !(b.remove ?? []).includes(t));
    touch(c, true);
  },
  priority(c, _me, b) {
    c.priority = b.priority;
    touch(c, true);
  },
  read(c, _me, b) {
    c.read_seq = Math.max(c.read_seq, b.seq);
    c.unread = db.messages.filter(
      (m) => m.conversation_id === c.id && m.kind === 'inbound' && m.seq > c.read_seq,
    ).length;
    touch(c, true);
  },
  participants(c, me, b) {
    const who = b.operator_id ?? me.id;
    c.participants = [
      ...c.participants.filter((p) => p.operator_id !== who),
      { operator_id: who, hidden: Boolean(b.hidden) },
    ];
    touch(c, true);
  },
  split(c, me, b) {
    const from = db.messages.findIndex((m) => m.id === b.message_id);
    if (from < 0) fail(422, 'validation', 'There is no such message.');
    system(c, `${me.name} split messages off`);
  },
  merge(c, me, b) {
    system(find(db.conversations, b.into), `${me.name} merged conversation #${c.number} into this one`);
    c.merged_into = b.into;
    touch(c);
  },
  snooze(c, _me, b) {
    c.snoozed_until = b.until;
    touch(c, true);
  },
};

function route(method, path, q, body, me) {
  const [a, b, c] = path;
  const list = {
    users: db.users,
    teams: db.teams,
    roles: db.roles,
    lines: db.lines,
    channels: db.channels,
    apikeys: db.apikeys,
    leads: db.leads,
    contacts: db.contacts,
    submissions: db.submissions,
    quarantine: db.quarantine,
  }[a];
  const written = mailAnswer(db, me, method, path, body);
  if (written) return written;
  const known = peopleAnswer(db, me, method, path, q, body);
  if (known) return [200, known];
  const taken = importsAnswer(method, path, body);
  if (taken) return taken;
  const called = callsAnswer(db, method, path, q, body);
  if (called) return called;
  const watched = wallAnswer(db, method, path, body, emit);
  if (watched) return watched;
  const hooked = webhookAnswer(method, path, q, body);
  if (hooked) return hooked;
  const synced = crmAnswer(method, path, q, body);
  if (synced) return synced;
  const sold = dealsAnswer(db, me, method, path, q, body, emit, fail);
  if (sold) return sold;
  const admin = () => me.role === 'admin' || fail(403, 'forbidden', 'Only admins may do this.');
  if (a === 'me') {
    if (b === 'availability')
      Object.assign(me, {
        availability: body.state,
        availability_said: body.state,
        availability_why: 'said',
        availability_reason: body.reason ?? null,
      });
    if (b === 'presence') me.presence = body.state;
    if (b === 'password')
      return body.current === me.password
        ? [204]
        : fail(422, 'validation', 'The current password is wrong.', [
            { field: 'current', message: 'This is not your password.' },
          ]);
    if (b) emit('operator.updated', pub(me));
    const work = { pause_reasons: ['lunch', 'break', 'training', 'meeting'], away_after_secs: 600 };
    return [200, { ...pub(me), csrf_token: 'csrf', ...work }];
  }
  const outlook = { duty: 'working', until: null, next_shift: null };
  if (a === 'schedules') return [200, outlook];
  if (a === 'users' && c === 'schedule') {
    const who = find(db.users, b);
    if (method === 'PUT') who.schedule = { ...body, version: (who.schedule?.version ?? 0) + 1 };
    const none = { time_zone: 'UTC', weekly: null, breaks: {}, absences: [], version: 0 };
    return [200, { operator_id: b, ...(who.schedule ?? none), outlook }];
  }
  if (a === 'connectors') return [200, { items: connectors }];
  if (a === 'search') {
    const s = (q.get('q') ?? '').toLowerCase();
    const esc = (t) => t.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
    return [
      200,
      {
        contacts: db.contacts.filter((x) => (x.name ?? '').toLowerCase().includes(s)).slice(0, 8),
        companies: db.companies.filter((x) => x.name.toLowerCase().includes(s)),
        leads: db.leads.filter((x) => x.title.toLowerCase().includes(s)).slice(0, 8),
        deals: db.deals.filter((x) => x.title.toLowerCase().includes(s)).slice(0, 8),
        messages: db.messages
          .filter((m) => m.text?.toLowerCase().includes(s))
          .slice(-20)
          .reverse()
          .map((m) => {
            const i = m.text.toLowerCase().indexOf(s);
            return {
              message: m,
              conversation: db.conversations.find((x) => x.id === m.conversation_id),
              snippet: `${esc(m.text.slice(Math.max(0, i - 40), i))}<mark>${esc(m.text.slice(i, i + s.length))}</mark>${esc(m.text.slice(i + s.length, i + 80))}`,
            };
          }),
      },
    ];
  }
  if (a === 'outbox')
    return [
      200,
      page(
        db.messages
          .filter((m) => m.delivery && m.delivery.state === (q.get('state') ?? 'failed'))
          .map((m) => ({
            message_id: m.id,
            conversation_id: m.conversation_id,
            channel_id: db.conversations.find((x) => x.id === m.conversation_id).channel_id,
            ...m.delivery,
            due_at: null,
            created_at: m.created_at,
          })),
        q,
        (x) => x.message_id,
      ),
    ];
  if (a === 'messages' && c === 'original')
    return [
      'text',
      `From: ${find(db.messages, b).author.name} <someone@example.org>\r\nSubject: Order\r\n\r\nHello\r\n`,
    ];
  if (a === 'messages' && c === 'retry') {
    const m = find(db.messages, b);
    m.delivery = { state: 'queued', attempts: m.delivery.attempts, error: null };
    emit('message.updated', m);
    deliver(find(db.conversations, m.conversation_id), m);
    return [200, m];
  }
  if (a === 'conversations') {
    if (b === 'counts')
      return [
        200,
        {
          mine: db.conversations.filter((x) => inView(x, 'mine', me)).length,
          queue: db.conversations.filter((x) => inView(x, 'queue', me)).length,
          all: db.conversations.filter((x) => inView(x, 'all', me)).length,
          unread_mine: db.conversations.filter((x) => inView(x, 'mine', me)).reduce((n, x) => n + x.unread, 0),
        },
      ];
    if (!b) {
      const rows = db.conversations.filter(
        (x) =>
          inView(x, q.get('view') ?? 'all', me) &&
          (!q.get('line') || x.line_id === q.get('line')) &&
          (!q.get('channel') || x.channel_id === q.get('channel')),
      );
      return [
        200,
        page(
          rows.sort((x, y) => (x.last_message.at < y.last_message.at ? 1 : -1)),
          q,
        ),
      ];
    }
    const conv = find(db.conversations, b);
    if (!c) return [200, conv];
    if (c === 'routing')
      return [
        200,
        {
          items: [
            {
              at: conv.created_at,
              trigger: 'message.inbound',
              algorithm: 'even',
              line_id: conv.line_id,
              line_version: 3,
              outcome: conv.session.operator_id ? 'assigned' : 'waiting',
              operator_id: conv.session.operator_id,
              candidates: db.users.map((u, i) => ({
                operator_id: u.id,
                load: u.load,
                rank: i === 0 ? 1 : null,
                rejected_by: i === 0 ? null : ['away', 'at_capacity', 'not_in_queue'][i - 1],
              })),
            },
          ],
        },
      ];
    if (c === 'messages' && method === 'GET') {
      const all = db.messages.filter((m) => m.conversation_id === conv.id);
      const limit = Number(q.get('limit') ?? 50);
      if (q.get('after_seq')) {
        const rest = all.filter((m) => m.seq > Number(q.get('after_seq')));
        return [200, { items: rest.slice(0, limit), next_cursor: rest.length > limit ? 'x' : null }];
      }
      const older = q.get('before_seq') ? all.filter((m) => m.seq < Number(q.get('before_seq'))) : all;
      return [200, { items: older.slice(-limit), next_cursor: older.length > limit ? 'x' : null }];
    }
    if (c === 'messages') {
      const known = submitted.get(body.client_id);
      if (known) return [200, known];
      if (body.text?.includes('refuse'))
        fail(422, 'validation', 'The text is not allowed here.', [{ field: 'text', message: 'Not allowed.' }]);
      if (!conv.session.operator_id && body.kind === 'reply')
        Object.assign(conv.session, { state: 'assigned', operator_id: me.id });
      const m = say(conv, body.kind ?? 'reply', { type: 'operator', id: me.id, name: me.name }, body.text, {
        client_id: body.client_id,
        html: body.html ?? null,
        mode: conv.recipients ? (body.mode ?? 'reply') : null,
        recipients: ['to', 'cc', 'bcc'].flatMap((role) => (body[role] ?? []).map((r) => ({ role, ...r }))),
        attachments: (body.attachments ?? []).map((x) => {
          const { data: _data, ...rest } = db.attachments.get(x);
          return rest;
        }),
      });
      submitted.set(body.client_id, m);
      if (m.kind === 'reply') deliver(conv, m);
      return [201, m];
    }
    if (c === 'participants' && method === 'DELETE') {
      conv.participants = conv.participants.filter((p) => p.operator_id !== path[3]);
      return [200, touch(conv, true)];
    }
    const action = actions[c] ?? fail(404, 'not-found', 'Unknown action.');
    action(conv, me, body);
    return [200, conv];
  }
  if (a === 'contacts' && c === 'conversations')
    return [
      200,
      page(
        db.conversations.filter((x) => x.contact.id === b),
        q,
      ),
    ];
  if (a === 'contacts' && c === 'leads')
    return [
      200,
      page(
        db.leads.filter((x) => x.contact_id === b),
        q,
      ),
    ];
  if (a === 'channels' && c === 'check') {
    const ch = find(db.channels, b);
    return [
      200,
      ch.kind === 'email'
        ? {
            ok: false,
            detail:
              'the SMTP server smtp.shop.example:465 refused the login of hello@shop.example: 535 5.7.8. Check user name and password; many providers want an app password',
            steps: [
              ['imap_dns', 'IMAP: imap.shop.example was found.'],
              ['imap_tcp', 'IMAP: connected to imap.shop.example:993.'],
              ['imap_tls', 'IMAP: the connection is encrypted.'],
              ['imap_login', 'IMAP: logged in as hello@shop.example.'],
              ['imap_folder', 'INBOX holds 214 mails; new mail is announced at once.'],
              ['smtp_dns', 'SMTP: smtp.shop.example was found.'],
              ['smtp_tcp', 'SMTP: connected to smtp.shop.example:465.'],
              ['smtp_tls', 'SMTP: the connection is encrypted.'],
              ['smtp_login', 'refused'],
            ].map(([step, detail]) => ({ step, ok: step !== 'smtp_login', detail })),
          }
        : { ok: true, detail: 'The widget can be loaded from any site.', steps: [] },
    ];
  }
  const usual = forms(method, [a, b, c], body);
  if (usual) return usual;
  if (a === 'channels' && b === 'sign-in')
    return method === 'GET'
      ? [200, { redirect_uri: 'https://desk.example/admin/channels/signed-in' }]
      : [200, db.channels.find((ch) => ch.kind === 'email')];
  if (a === 'channels' && c === 'sign-in')
    return [200, { url: '/admin/channels/signed-in?state=s&code=c', redirect_uri: '/admin/channels/signed-in' }];
  if (a === 'channels' && c === 'backfill') {
    const nothing = { state: 'none', since: null, asked_at: null, history: null, total: 0, done: 0 };
    if (method === 'DELETE') db.backfill = nothing;
    if (method === 'POST')
      db.backfill = { ...nothing, ...body, state: 'running', asked_at: new Date().toISOString(), total: 1840, done: 0 };
    const at = db.backfill ?? nothing;
    if (at.state === 'running') at.done = Math.min(at.total, at.done + 125);
    if (at.state === 'running' && at.done === at.total) at.state = 'done';
    return [200, { ...at }];
  }
  if (a === 'quarantine' && c === 'raw')
    return ['text', 'From: someone@example.org\r\nSubject: =?x-user-defined?Q?=80?=\r\n\r\nBody\r\n'.repeat(12)];
  if (a === 'quarantine' && c === 'replay') {
    const q = find(db.quarantine, b);
    if (q.reason.includes('charset')) fail(409, 'conflict', `still not understood: ${q.reason}`);
    q.replayed_at = now();
    return [200, { ...q, conversation_id: db.conversations[0].id }];
  }
  if (a === 'submissions' && b === 'judge') {
    const items = body.ids.map((id) => find(db.submissions, id));
    for (const s of items) {
      s.state = { approve: 'accepted', reject: 'spam', spam: 'spam', hold: 'held' }[body.verdict];
      s.verdict = { approve: 'approved', reject: 'rejected', spam: 'spam', hold: null }[body.verdict];
    }
    return [200, { items, failed: [] }];
  }
  if (a === 'reports') {
    const leads = db.leads.length;
    const day = now().slice(0, 10);
    const rows = [{ source: 'google', medium: 'cpc', campaign: 'spring', leads, converted: 1, junk: 0 }];
    return [200, { rows, days: [{ date: day, leads }], leads, left_out: 0 }];
  }
  if (a === 'submissions' && c) {
    const s = find(db.submissions, b);
    s.state = c === 'approve' ? 'accepted' : 'spam';
    return [200, s];
  }
  if (!list) fail(404, 'not-found', 'There is no such address.');
  if (method === 'GET' && b) return [200, a === 'users' ? pub(find(list, b)) : find(list, b)];
  if (method === 'GET') {
    const text = (q.get('q') ?? '').toLowerCase();
    const rows = list.filter(
      (x) =>
        (!text || JSON.stringify(x).toLowerCase().includes(text)) &&
        ['status', 'source', 'state'].every((k) => !q.get(k) || x[k] === q.get(k)) &&
        (!q.get('line') || x.line_id === q.get('line')) &&
        (!q.get('operator') || x.operator_id === q.get('operator')),
    );
    return [200, page(a === 'users' ? rows.map(pub) : rows, q)];
  }
  if (!['contacts', 'leads'].includes(a)) admin();
  if (method === 'DELETE') {
    list.splice(list.indexOf(find(list, b)), 1);
    return [204];
  }
  if (body.name === '')
    fail(422, 'validation', 'Some fields need attention.', [{ field: 'name', message: 'A name is needed.' }]);
  if (method === 'PATCH') {
    const x = find(list, b);
    if (body.version !== undefined && x.version !== undefined && body.version !== x.version)
      fail(409, 'conflict', 'Somebody changed it meanwhile.');
    Object.assign(x, body, { version: (x.version ?? 0) + 1 });
    if (a === 'users') emit('operator.updated', pub(x));
    return [200, a === 'users' ? pub(x) : x];
  }
  const defaults =
    {
      users: {
        languages: [],
        skills: [],
        capacity: 5,
        enabled: true,
        presence: 'offline',
        availability: 'off',
        availability_said: 'off',
        availability_why: 'said',
        load: 0,
      },
      lines: {
        enabled: true,
        version: 1,
        distribution: 'even',
        queue: [],
        sticky: { enabled: true, grace_secs: 30 },
        crm: { create_lead: 'always', repeat: 'new_lead' },
        acceptance: 'automatic',
        limit_per_operator: null,
        return_after_secs: null,
        welcome_text: null,
        assign_when_offline: false,
        key: 'line' + Date.now(),
      },
      channels: {
        enabled: true,
        key: 'ch' + Date.now(),
        health: { state: 'starting', last_success_at: null, last_error: null, lag_secs: null },
      },
      teams: { member_ids: [] },
      apikeys: { prefix: 'sb_a1b2', key: 'sb_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6', created_at: now() },
      leads: { status: 'new', created_at: now(), attribution: null, fields: {}, tags: [] },
    }[a] ?? {};
  const x = {
    id: id(
      { users: 'opr', teams: 'tem', roles: 'rol', lines: 'lin', channels: 'chn', apikeys: 'key', leads: 'led' }[a] ??
        'x',
    ),
    ...defaults,
    ...body,
  };
  list.push(x);
  return [201, a === 'users' ? pub(x) : x];
}

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'";
const cookie = (req) => /sb_session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
const send = (res, status, body, headers = {}) => {
  res.writeHead(status, {
    'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json',
    ...headers,
  });
  res.end(body === undefined ? '' : JSON.stringify(body));
};
const read = async (req) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const http = createServer(async (req, res) => {
  const url = new URL(req.url, 'http://mock');
  const path = url.pathname.split('/').filter(Boolean);
  try {
    if (path[0] === 'api') {
      const [, , ...rest] = path;
      const raw = await read(req);
      const isJson = (req.headers['content-type'] ?? '').includes('json');
      const body = isJson && raw.length ? JSON.parse(raw) : {};
      const enter = (u, extra = {}, status = 200) => {
        const token = id('sid');
        sessions.set(token, u);
        send(
          res,
          status,
          { user: pub(u), csrf_token: 'csrf', ...extra },
          { 'Set-Cookie': `sb_session=${token}; Path=/; HttpOnly; SameSite=Lax` },
        );
      };
      if (rest[0] === 'setup') {
        if (req.method === 'GET')
          return send(res, 200, {
            needed: !setupDone,
            token_valid: !setupDone && url.searchParams.get('token') === db.setupToken,
          });
        if (setupDone) fail(409, 'conflict', 'Set-up has been done already.');
        if (body.token !== db.setupToken) fail(403, 'forbidden', 'This link is not valid.');
        if ((body.admin.password ?? '').length < 8)
          fail(422, 'validation', 'Some fields need attention.', [
            { field: 'admin.password', message: 'At least 8 characters.' },
          ]);
        setupDone = true;
        Object.assign(db.users[0], body.admin);
        return enter(
          db.users[0],
          {
            line: db.lines[0],
            webchat: db.channels[0],
            webform: db.channels[1],
            snippet: `<script src="http://${req.headers.host}/widget/v1.js" data-channel="site-chat" async></script>`,
            demo_url: '/demo/site-chat',
            form_url: '/f/callback',
          },
          201,
        );
      }
      if (rest[0] === 'auth') {
        if (rest[1] === 'logout') {
          sessions.delete(cookie(req));
          return send(res, 204);
        }
        const u = db.users.find((x) => x.email === body.email && x.password === body.password);
        return u ? enter(u) : fail(401, 'unauthenticated', 'The e-mail or the password is wrong.');
      }
      const me = sessions.get(cookie(req)) ?? fail(401, 'unauthenticated', 'Sign in first.');
      if (rest[0] === 'attachments') {
        if (req.method === 'GET') {
          const a = db.attachments.get(rest[1]) ?? fail(404, 'not-found', 'Gone.');
          res.writeHead(200, {
            'Content-Type': a.content_type,
            'X-Content-Type-Options': 'nosniff',
            'Content-Disposition': 'inline',
          });
          return res.end(a.data);
        }
        const text = raw.toString('latin1');
        const name = Buffer.from(/filename="([^"]*)"/.exec(text)?.[1] ?? 'file', 'latin1').toString();
        const type = /Content-Type: ([^\r]+)/i.exec(text)?.[1] ?? 'application/octet-stream';
        const start = text.indexOf('\r\n\r\n') + 4;
        const data = raw.subarray(start, text.lastIndexOf('\r\n--'));
        const a = { id: id('att'), name, content_type: type, size: data.length };
        a.url = `/api/v1/attachments/${a.id}`;
        db.attachments.set(a.id, { ...a, data });
        await new Promise((r) => setTimeout(r, 400));
        return send(res, 201, a);
      }
      const [status, answer] = route(req.method, rest, url.searchParams, body, me);
      if (status === 'text') {
        res.writeHead(200, { 'Content-Type': 'text/plain' });
        return res.end(answer);
      }
      return send(res, status, answer);
    }
    // Handles for tests: cut every socket for a while, let a contact write.
    if (path[0] === 'mock') {
      if (path[1] === 'cut') {
        refuseUntil = Date.now() + Number(url.searchParams.get('ms') ?? 0);
        for (const s of sockets) s.terminate();
      } else {
        const c = db.conversations.find((x) => x.contact.name?.includes(url.searchParams.get('name')));
        say(c, 'inbound', { type: 'contact', id: c.contact.id, name: c.contact.name }, url.searchParams.get('text'));
      }
      return send(res, 204);
    }
    // As src/api/assets.rs has it: the empty page that may load a mail's remote images.
    if (path[0] === 'mail-frame') {
      res.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy':
          "default-src 'none'; img-src 'self' data: https: http:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
        'Referrer-Policy': 'no-referrer',
      });
      return res.end('<!doctype html><meta charset="utf-8"><title></title><body></body>');
    }
    let file = normalize(join(root, url.pathname));
    if (!file.startsWith(root) || !existsSync(file) || statSync(file).isDirectory()) file = join(root, 'index.html');
    res.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
    });
    createReadStream(file).pipe(res);
  } catch (e) {
    if (!(e instanceof Problem)) console.error(e);
    const status = e.status ?? 500;
    send(res, status, {
      type: `/problems/${e.type ?? 'internal'}`,
      title: e.detail ?? 'Internal error',
      status,
      detail: e.detail,
      errors: e.errors ?? [],
    });
  }
});

const wss = new WebSocketServer({ noServer: true });
http.on('upgrade', (req, socket, head) => {
  const url = new URL(req.url, 'http://mock');
  if (url.pathname !== '/api/v1/realtime' || Date.now() < refuseUntil) return socket.destroy();
  wss.handleUpgrade(req, socket, head, (ws) => {
    if (!sessions.get(cookie(req))) return ws.close(4401);
    const since = url.searchParams.get('since');
    ws.send(JSON.stringify({ type: 'hello', seq: since === null ? db.seq : Number(since), resumed: true }));
    if (since !== null) for (const frame of db.log) if (frame.seq > Number(since)) ws.send(JSON.stringify(frame));
    sockets.add(ws);
    ws.on('message', (data) => JSON.parse(data).type === 'ping' && ws.send('{"type":"pong"}'));
    ws.on('close', () => sockets.delete(ws));
  });
});

// Something happens now and then.
if (!quiet) {
  setInterval(() => {
    const open = db.conversations.filter((c) => c.session.state !== 'closed').slice(0, 10);
    const c = open[Math.floor(Math.random() * open.length)];
    if (c)
      say(
        c,
        'inbound',
        { type: 'contact', id: c.contact.id, name: c.contact.name },
        ['Are you there?', 'One more question', 'Спасибо!', 'Rahmat', 'OK'][Math.floor(Math.random() * 5)],
      );
  }, 15_000);
}
const port = Number(process.env.PORT ?? 4100);
http.listen(port, '127.0.0.1', () => console.log(`mock on http://127.0.0.1:${port}`));
