/** Templates, signatures and address fields of the made-up server: plausible shapes, not the real rules. */
import { id } from './seed.mjs';

const now = () => new Date().toISOString();
const state = { signatures: {}, templates: null };
const template = (name, body, extra = {}) => ({
  id: id('tpl'),
  scope: 'shared',
  line_id: null,
  name,
  shortcut: null,
  body,
  version: 1,
  created_at: now(),
  updated_at: now(),
  ...extra,
});

/** Gives mail conversations the fields that the real server keeps of each mail. */
export function addFields(db) {
  for (const c of db.conversations) {
    const isMail = c.channel_kind === 'email';
    Object.assign(c, { recipients: isMail, rich_text: isMail, max_message_bytes: isMail ? 25 * 1024 * 1024 : null });
  }
  for (const m of db.messages) {
    const c = db.conversations.find((x) => x.id === m.conversation_id);
    m.mode ??= null;
    m.recipients ??= c?.channel_kind === 'email' && m.kind === 'inbound' ? fields(c) : [];
  }
  state.templates = [
    template('Thanks and goodbye', 'Thank you for writing, {{contact.name}}. Have a good day!', { shortcut: 'bye' }),
    template('Delivery takes two days', 'Delivery takes two working days. Your case is {{conversation.number}}.', {
      shortcut: 'delivery',
    }),
    template('Returns', 'You can return anything within 30 days.', { scope: 'line', line_id: db.lines[0].id }),
    template('My greeting', 'Hello {{contact.name|there}}, this is {{operator.name}}.', {
      scope: 'own',
      shortcut: 'hi',
    }),
  ];
}

function fields(c) {
  const name = c.contact.name ?? 'Ivan';
  return [
    { role: 'from', name, address: 'customer@client.example' },
    { role: 'to', name: null, address: 'support@shop.example' },
    { role: 'cc', name: 'Olga Berg', address: 'olga@client.example' },
    { role: 'cc', name: null, address: 'accounting@client.example' },
  ];
}

export function answer(db, me, method, [a, b, c], body) {
  if (a === 'me' && b === 'signature') {
    if (method === 'PUT') state.signatures[me.id] = body.signature;
    return [200, { signature: state.signatures[me.id] ?? 'Kind regards,\n{{operator.name}}' }];
  }
  if (a === 'conversations' && c === 'writing') {
    const conv = db.conversations.find((x) => x.id === b);
    const values = {
      'contact.name': conv.contact.name ?? '',
      'operator.name': me.name,
      'line.name': conv.line_name,
      'conversation.number': String(conv.number),
    };
    const people = conv.recipients ? fields(conv) : [];
    return [
      200,
      {
        values,
        signature: conv.recipients ? `Kind regards,\n${me.name}\n${conv.line_name} · shop.example` : null,
        reply: people.filter((p) => p.role === 'from').map((p) => ({ ...p, role: 'to' })),
        reply_all: people
          .filter((p) => p.role !== 'to')
          .map((p) => ({ ...p, role: p.role === 'from' ? 'to' : p.role })),
        people: people.filter((p) => p.role === 'cc'),
        unanswerable: false,
      },
    ];
  }
  if (a !== 'templates') return null;
  const found = state.templates.find((x) => x.id === b);
  if (method === 'POST') {
    state.templates.push(template(body.name, body.body, { ...body, shortcut: body.shortcut || null }));
    return [201, state.templates.at(-1)];
  }
  if (method === 'PATCH') return [200, Object.assign(found, body, { version: found.version + 1 })];
  if (method === 'DELETE') {
    state.templates = state.templates.filter((x) => x.id !== b);
    return [204];
  }
  return [200, { items: state.templates, next_cursor: null }];
}
