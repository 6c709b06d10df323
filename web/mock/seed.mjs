/** Invented people and conversations for the mock server: several scripts, all states. */
import { mails } from './mails.mjs';
import { randomUUID } from 'node:crypto';

export const id = (prefix) => prefix + '_' + randomUUID().replaceAll('-', '');
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

export function seed() {
  const db = {
    users: [],
    teams: [],
    roles: [],
    lines: [],
    channels: [],
    conversations: [],
    messages: [],
    contacts: [],
    leads: [],
    submissions: [],
    quarantine: [],
    apikeys: [],
    attachments: new Map(),
    log: [],
    seq: 0,
    setupToken: 'demo-token',
  };
  const user = (name, email, role, extra = {}) => {
    const u = {
      id: id('opr'),
      email,
      name,
      role,
      role_id: role,
      languages: ['en'],
      skills: [],
      capacity: 6,
      enabled: true,
      presence: 'online',
      availability: 'accepting',
      availability_said: 'accepting',
      availability_why: 'said',
      availability_reason: null,
      availability_changes_at: null,
      load: 0,
      password: 'switchboard',
      ...extra,
    };
    db.users.push(u);
    return u;
  };
  const anna = user('Anna Petrova', 'admin@example.com', 'admin', { languages: ['en', 'ru'], skills: ['billing'] });
  const bold = user('Bold Ganbaatar', 'bold@example.com', 'operator', { languages: ['mn', 'en'], presence: 'away' });
  const dil = user('Dilnoza Karimova', 'dilnoza@example.com', 'supervisor', { languages: ['uz', 'ru'] });
  user('Marek Nowak', 'marek@example.com', 'operator', {
    presence: 'offline',
    availability: 'off',
    availability_why: 'off_shift',
    availability_changes_at: new Date(Date.now() + 14 * 3_600_000).toISOString(),
  });
  const objects = {
    conversation: 'vex',
    contact: 'vedx',
    company: 'vedx',
    lead: 'vex',
    deal: 'ved',
    task: 'ved',
    call: 'vex',
    submission: 'vex',
    report: 'vx',
  };
  const words = { v: 'view', e: 'edit', d: 'delete', x: 'export' };
  const grid = (reach) =>
    Object.fromEntries(
      Object.entries(objects).map(([o, has]) => [
        o,
        Object.fromEntries([...has].map((a) => [words[a], reach(o, words[a])])),
      ]),
    );
  const role = (id, rights, extra = {}) =>
    db.roles.push({ id, name: id, built_in: true, rights, user_count: 1, version: 1, ...extra });
  role(
    'admin',
    grid(() => 'all'),
  );
  role(
    'supervisor',
    grid(() => 'all'),
  );
  role(
    'operator',
    grid((o, a) => (o !== 'report' && (a === 'view' || a === 'edit') ? 'lines' : 'none')),
  );
  role(
    id('rol'),
    grid((o, a) => (o === 'deal' ? (a === 'view' ? 'team' : 'own') : 'none')),
    { name: 'Sales', built_in: false, user_count: 0 },
  );
  db.teams.push({ id: id('tem'), name: 'Evening shift', member_ids: [bold.id, dil.id] });
  const line = (key, name, extra = {}) => {
    const l = {
      id: id('lin'),
      key,
      name,
      enabled: true,
      version: 3,
      distribution: 'even',
      queue: [{ operator_id: anna.id }, { operator_id: bold.id }, { team_id: db.teams[0].id }],
      acceptance: 'automatic',
      offer_timeout_secs: 30,
      required_skills: [],
      match_language: false,
      limit_per_operator: null,
      sticky: { enabled: true, grace_secs: 30 },
      assign_when_offline: false,
      return_after_secs: null,
      leave_grace_secs: 300,
      welcome_text: null,
      crm: { create_lead: 'always', repeat: 'new_lead' },
      ...extra,
    };
    db.lines.push(l);
    return l;
  };
  const support = line('support', 'Support', { welcome_text: 'Hello! We usually answer within two minutes.' });
  const sales = line('sales', 'Sales', { distribution: 'least_loaded', limit_per_operator: 4 });
  const ok = { state: 'ok', last_success_at: ago(0.2), last_error: null, lag_secs: 0 };
  const channel = (kind, key, name, l, settings, health = ok) => {
    const c = { id: id('chn'), key, kind, line_id: l.id, name, enabled: true, settings, health };
    db.channels.push(c);
    return c;
  };
  const chat = channel('webchat', 'site-chat', 'Website chat', support, {
    allowed_origins: ['*'],
    title: 'Chat with us',
    accent_color: '#2B50CC',
    require_prechat: false,
    prechat_fields: [],
  });
  const form = channel('webform', 'callback', 'Call me back', sales, {
    title: 'Call me back',
    submit_label: 'Send',
    allowed_origins: ['*'],
    moderation: false,
    success: { message: 'Thank you! We will call you soon.', redirect_url: null },
    consent: { required: true, text: 'I agree to the processing of my data', url: null },
    fields: [
      { name: 'name', label: 'Your name', type: 'text', required: true, options: [], maps_to: 'contact.name' },
      { name: 'phone', label: 'Phone', type: 'phone', required: true, options: [], maps_to: 'contact.phone' },
      {
        name: 'topic',
        label: 'Topic',
        type: 'select',
        required: false,
        options: ['Delivery', 'Prices', 'Other'],
        maps_to: 'lead.fields.topic',
      },
      { name: 'comment', label: 'Comment', type: 'textarea', required: false, options: [], maps_to: 'lead.comment' },
    ],
  });
  const mail = channel(
    'email',
    'mailbox',
    'info@shop.example',
    support,
    {
      address: 'info@shop.example',
      from_name: 'Shop',
      auth: { method: 'oauth2', provider: 'google', client_id: 'switchboard.apps.example', client_secret: null },
      tags: { billing: 'sales' },
      imap: {
        host: 'imap.shop.example',
        port: 993,
        tls: 'implicit',
        username: 'info',
        password: null,
        mailbox: 'INBOX',
      },
      smtp: { host: 'smtp.shop.example', port: 465, tls: 'implicit', username: 'info', password: null },
      backfill_days: 3,
      ignore_senders: ['noreply@*'],
      accept_invalid_certs: false,
    },
    {
      state: 'degraded',
      last_success_at: ago(14),
      last_error: 'IMAP: connection reset, trying again in 20 s',
      lag_secs: 840,
    },
  );

  const people = [
    ['Zarina Yusupova', chat, 'Assalomu alaykum! Narxi qancha?', 'mine'],
    ['Карим Орлов', mail, 'Когда придёт мой заказ № 10-442? Жду уже неделю.', 'mine'],
    ['نرگس حسینی', chat, 'سلام، آیا امروز ارسال می‌کنید؟', 'mine'],
    ['Emily Carter', chat, 'Perfect, thank you so much for the quick help!', 'mine'],
    ['પ્રિયા શાહ', chat, 'શું તમે અમદાવાદમાં પહોંચાડો છો?', 'queue'],
    ['Батбаяр Дорж', form, 'Call me back: Prices', 'queue'],
    [null, chat, 'hello? anybody here', 'queue'],
    [
      'Jean-Baptiste Lefèvre-Montgomery de la Tour',
      mail,
      'Facture n° 2026-118: une question sur la TVA intracommunautaire',
      'queue',
    ],
    ['Otabek Rahimov', chat, 'Rahmat!', 'other'],
    ['Hannah Schmidt', mail, 'Re: Rückgabe der Bestellung', 'other'],
    ['Lucía Fernández', form, 'Call me back: Delivery', 'closed'],
    ['Sofia Rossi', chat, 'Grazie mille, buona giornata', 'closed'],
  ];
  for (let i = 0; i < 80; i++)
    people.push([`Visitor ${i + 1}`, chat, `Question number ${i + 1} about the order`, i % 2 ? 'closed' : 'other']);
  people.forEach(([name, ch, last, place], i) => {
    const contact = {
      id: id('cnt'),
      name,
      emails: i % 3 === 1 ? [`person${i}@mail.example`] : [],
      phones: i % 4 === 0 ? [`+99890123${String(4500 + i)}`] : [],
      identities: [
        ...(i % 3 === 1 ? [{ kind: 'email', value: `person${i}@mail.example`, verified: ch === mail }] : []),
        ...(i % 4 === 0 ? [{ kind: 'phone', value: `+99890123${String(4500 + i)}`, verified: false }] : []),
        ...(ch === chat ? [{ kind: 'webchat', value: 'v_' + i, verified: true }] : []),
      ],
      company_id: null,
      operator_id: null,
      fields: i === 0 ? { city: 'Tashkent', budget: '1 200 000' } : {},
      suggestions: [],
      created_at: ago(5000 + i),
      version: 1,
    };
    db.contacts.push(contact);
    if (i === 0)
      contact.suggestions.push({ contact_id: 'later', name: 'Z. Yusupova', reason: 'same phone +998901234500' });
    const operator =
      place === 'mine' ? anna : place === 'other' ? (i % 2 ? bold : dil) : place === 'closed' ? anna : null;
    const at = 2 + i * 7;
    const conversation = {
      id: id('cnv'),
      number: 1042 - i,
      line_id: ch.line_id,
      line_name: ch === form ? sales.name : support.name,
      channel_id: ch.id,
      channel_kind: ch.kind,
      channel_name: ch.name,
      contact: { id: contact.id, name },
      contact_claimed: ch === form,
      lead_id: null,
      subject: ch === mail ? last.slice(0, 60) : null,
      priority: i === 1 ? 2 : i === 6 ? 1 : 0,
      tags: i === 0 ? ['vip', 'delivery'] : i === 7 ? ['invoice'] : [],
      unread: 0,
      version: 1,
      session: {
        id: id('ses'),
        state: place === 'queue' ? 'waiting' : place === 'closed' ? 'closed' : 'assigned',
        operator_id: operator?.id ?? null,
        offered_to: [],
        offer_expires_at: null,
        opened_at: ago(at + 30),
        waiting_since: ago(place === 'queue' ? at : at + 30),
        due_at: place === 'queue' && i % 3 ? ago(at - (i % 2 ? 45 : 8)) : null,
        first_reply_at: operator ? ago(at + 20) : null,
        closed_at: place === 'closed' ? ago(at) : null,
        close_reason: place === 'closed' ? 'answered' : null,
        rating: null,
      },
      participants: [],
      last_message: null,
      last_seq: 0,
      read_seq: 0,
      client_read_seq: 0,
      client_delivered_seq: 0,
      may_pull: true,
      can_reply: true,
      max_text_chars: ch === mail ? null : 4096,
      snoozed_until: null,
      address_problem: null,
      merged_into: null,
      links: [],
      created_at: ago(at + 30),
      updated_at: ago(at),
    };
    db.conversations.push(conversation);
    const lead = {
      id: id('led'),
      title: name ?? 'Website visitor',
      status: ['new', 'in_progress', 'new', 'converted', 'junk'][i % 5],
      contact_id: contact.id,
      contact_name: name,
      conversation_id: conversation.id,
      line_id: ch.line_id,
      channel_id: ch.id,
      channel_kind: ch.kind,
      operator_id: operator?.id ?? null,
      source: i % 2 ? 'google' : 'direct',
      attribution: {
        first: {
          utm_source: 'google',
          utm_medium: 'cpc',
          utm_campaign: 'spring',
          utm_term: null,
          utm_content: null,
          gclid: null,
          referrer: 'https://www.google.com/',
          landing_page: 'https://shop.example/pricing',
        },
        last: { utm_source: null, referrer: null, landing_page: 'https://shop.example/contacts' },
      },
      tags: [],
      fields: {},
      created_at: ago(at + 30),
      version: 1,
    };
    db.leads.push(lead);
    conversation.lead_id = lead.id;
    const say = (kind, author, text, minutes, extra = {}) => {
      const m = {
        id: id('msg'),
        conversation_id: conversation.id,
        seq: ++conversation.last_seq,
        kind,
        author,
        text,
        html: null,
        attachments: [],
        external_id: null,
        client_id: null,
        delivery: kind === 'reply' ? { state: 'read', attempts: 1, error: null } : null,
        automatic: false,
        new_participant: false,
        created_at: ago(minutes),
        ...extra,
      };
      db.messages.push(m);
      conversation.last_message = { id: m.id, text: m.text, kind: m.kind, at: m.created_at };
      return m;
    };
    const them = { type: 'contact', id: contact.id, name };
    const us = operator && { type: 'operator', id: operator.id, name: operator.name };
    const sys = { type: 'system', id: null, name: null };
    if (i === 0) {
      for (let k = 0; k < 130; k++)
        say(
          k % 3 === 2 ? 'reply' : 'inbound',
          k % 3 === 2 ? us : them,
          `Older message number ${k + 1}. See https://shop.example/item/${k} for it.`,
          4000 - k * 4,
        );
      say('inbound', them, 'Hello! I saw the blue kettle on your site.\nIs it in stock in Tashkent?', 46);
      say('system', sys, 'Assigned to Anna Petrova', 45);
      say('reply', us, 'Hello Zarina! Yes, four of them. Shall I put one aside for you?', 44);
      say('note', { type: 'operator', id: dil.id, name: dil.name }, 'Regular customer, offer the 5 % discount.', 43);
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="300"><rect width="480" height="300" fill="#9db7d6"/><circle cx="240" cy="170" r="80" fill="#2B50CC"/><rect x="215" y="60" width="50" height="40" rx="10" fill="#1c347f"/></svg>`;
      const a = { id: id('att'), name: 'kettle.svg', content_type: 'image/svg+xml', size: svg.length };
      a.url = `/api/v1/attachments/${a.id}`;
      db.attachments.set(a.id, { ...a, data: Buffer.from(svg) });
      const b = {
        id: id('att'),
        name: 'Очень длинное имя договора поставки оборудования 2026 (подписано).pdf',
        content_type: 'application/pdf',
        size: 248_113,
      };
      b.url = `/api/v1/attachments/${b.id}`;
      db.attachments.set(b.id, { ...b, data: Buffer.from('%PDF-1.4') });
      say('inbound', them, 'This one', 30, { attachments: [a, b] });
      say('reply', us, 'Ha, albatta. Ertaga yetkazib beramiz.', 20, {
        delivery: { state: 'delivered', attempts: 1, error: null },
      });
      say('reply', us, 'The courier will call you one hour before.', 12, {
        delivery: { state: 'failed', attempts: 5, error: 'The visitor’s session has expired' },
      });
      say('reply', us, 'Invoice follows by mail.', 11, {
        delivery: { state: 'uncertain', attempts: 1, error: 'The connection broke while sending' },
      });
    } else if (ch === mail) {
      say('inbound', them, last, at + 4, {
        html: `<div style="font-family:Georgia,serif;color:#333"><p>Hello,</p><p style="color:#a00"><b>${last}</b></p><table border="1" cellpadding="6" style="border-collapse:collapse"><tr><td>Order</td><td>10-442</td></tr><tr><td>Paid</td><td>14 Nov</td></tr></table><p><img src="https://tracker.example/pixel.gif" alt=""> <a href="https://shop.example">shop.example</a></p><p>With kind regards<br>${name}</p><script>alert(1)</script></div>`,
      });
      mails(db, say, them, at);
      if (us) say('system', sys, `Assigned to ${operator.name}`, at + 3);
      if (us && !db.mailSample) {
        db.mailSample = conversation;
        const reply = (text, minutes, delivery) => say('reply', us, text, minutes, { delivery });
        reply('We have sent the invoice again, see below.', at + 2, {
          state: 'delayed',
          attempts: 1,
          error:
            'anna@client.example: the receiving server does not answer (connect to mx.client.example: Connection timed out)',
        });
        say('inbound', them, 'I am out of the office until Monday.', at + 2, { automatic: true });
        say('inbound', { ...them, name: 'Boris Orlov' }, 'I take this over from here, please write to me.', at + 1, {
          new_participant: true,
        });
        reply('Good day, Boris!', at, {
          state: 'failed',
          attempts: 1,
          error: 'boris@client.example: the address does not exist (550 5.1.1 no such user here)',
        });
        conversation.address_problem = 'boris@client.example: the address does not exist (550 5.1.1 no such user here)';
        const other = db.conversations.find((o) => o !== conversation) ?? conversation;
        conversation.links = [
          {
            id: 'lnk_1',
            kind: 'split_from',
            conversation_id: other.id,
            number: other.number,
            reason: null,
            at: ago(at),
          },
          { id: 'lnk_2', kind: 'continues', conversation_id: other.id, number: 1007, reason: 'old', at: ago(at) },
        ];
      }
    } else {
      say('inbound', them, 'Good day', at + 5);
      if (us) say('reply', us, 'Good day! How can I help?', at + 3);
    }
    say('inbound', them, last, at);
    if (place === 'mine' && i < 3) {
      conversation.unread = i + 1;
      conversation.read_seq = conversation.last_seq - i - 1;
    } else if (place === 'queue') conversation.unread = 1;
    else conversation.read_seq = conversation.last_seq;
  });
  db.contacts[0].suggestions[0].contact_id = db.contacts[3].id;
  for (let i = 0; i < 4; i++)
    db.submissions.push({
      id: id('sub'),
      channel_id: form.id,
      state: ['accepted', 'held', 'accepted', 'spam'][i],
      values: {
        name: ['Lucía Fernández', 'Win a prize', 'Батбаяр Дорж', 'SEO'][i],
        phone: '+34600111222',
        topic: 'Delivery',
        comment: 'Please call after 15:00',
      },
      lead_id: i % 2 ? null : db.leads[10].id,
      conversation_id: i % 2 ? null : db.conversations[10].id,
      consent: { given: true, text: 'I agree', at: ago(50) },
      spam_score: [0.05, 0.72, 0.1, 0.97][i],
      spam_reasons: i % 2 ? ['links', 'too fast'] : [],
      created_at: ago(50 + i * 400),
    });
  db.quarantine.push({
    id: id('qrt'),
    channel_id: mail.id,
    reason: 'MIME nesting deeper than 50 parts',
    size: 48_211,
    created_at: ago(300),
  });
  db.quarantine.push({
    id: id('qrt'),
    channel_id: mail.id,
    reason: 'Unknown charset "x-user-defined" in a header',
    size: 2_113,
    created_at: ago(2000),
  });
  db.apikeys.push({
    id: id('key'),
    name: 'CRM sync',
    role: 'operator',
    prefix: 'sb_7fk2',
    created_at: ago(30_000),
    last_used_at: ago(3),
  });
  anna.load = 3.5;
  bold.load = 2;
  return db;
}

const str = (title, description, extra = {}) => ({ type: 'string', title, description, ...extra });
const oauth = { 'x-when': ['method', 'oauth2'] };
const custom = { 'x-when': ['provider', 'custom'] };
const signIn = {
  type: 'object',
  title: 'Sign-in',
  description: 'How the channel gets into the mailbox.',
  properties: {
    method: {
      type: 'string',
      title: 'How',
      enum: ['password', 'oauth2'],
      default: 'password',
      description:
        'With password the user names and passwords below are taken. With oauth2 you sign in at the provider, and no password is kept.',
    },
    provider: {
      type: 'string',
      title: 'Provider',
      enum: ['google', 'microsoft', 'custom'],
      default: 'google',
      description: 'Where the mailbox is. Custom needs the addresses of its sign-in.',
      ...oauth,
    },
    client_id: str('Client id', 'Of the application that you registered with the provider for this server.', oauth),
    client_secret: str('Client secret', 'Of the same application. Empty for one without a secret.', {
      'x-secret': true,
      ...oauth,
    }),
    tenant: str('Tenant', 'Microsoft: the directory the mailbox is in.', { 'x-when': ['provider', 'microsoft'] }),
    authorize_url: str('Authorization address', 'Where the browser is sent to sign in.', { format: 'uri', ...custom }),
    token_url: str('Token address', 'Where tokens are given out.', { format: 'uri', ...custom }),
    refresh_token: str('Token', '', { 'x-secret': true, readOnly: true }),
    signed_in_at: str('Signed in', '', { readOnly: true }),
  },
};
const server = (name) => ({
  type: 'object',
  title: name,
  description: `How the ${name} server is reached.`,
  required: ['host', 'port', 'tls', 'username'],
  properties: {
    host: str('Host', 'Name of the server, without a scheme.'),
    port: {
      type: 'integer',
      title: 'Port',
      description: 'Usually 993 for IMAP and 465 for SMTP.',
      minimum: 1,
      maximum: 65535,
    },
    tls: {
      type: 'string',
      enum: ['implicit', 'starttls', 'none'],
      title: 'Encryption',
      description: '“none” only inside your own network.',
      default: 'implicit',
    },
    username: str('User name', 'Often the address itself.'),
    password: str('Password', 'Stored encrypted; never shown again.', { 'x-secret': true }),
  },
});

export const connectors = [
  {
    kind: 'webchat',
    label: 'Web chat',
    capabilities: {
      inbound: true,
      outbound: true,
      attachments: true,
      max_text_chars: 4096,
      max_attachment_bytes: 26214400,
      typing: true,
      receipts: true,
      hosted: true,
    },
    settings_schema: {
      type: 'object',
      required: ['allowed_origins'],
      properties: {
        title: str('Title', 'Shown at the top of the chat window.'),
        accent_color: str('Accent colour', 'Six hex digits, e.g. #2B50CC.', { format: 'color' }),
        locale: { type: ['string', 'null'], title: 'Language', description: 'Empty: the visitor’s own language.' },
        allowed_origins: {
          type: 'array',
          items: { type: 'string' },
          title: 'Allowed sites',
          description: 'Origins that may show the widget; * means any.',
        },
        require_prechat: {
          type: 'boolean',
          title: 'Ask before chatting',
          description: 'The visitor fills the fields below first.',
          default: false,
        },
        prechat_fields: {
          type: 'array',
          title: 'Questions before the chat',
          description: 'Same shape as form fields.',
          items: { $ref: '#/$defs/FormField' },
        },
        identity_secret: {
          type: ['string', 'null'],
          title: 'Identity secret',
          description: 'Signs who a visitor is; your site’s server uses it.',
          'x-secret': true,
        },
      },
      $defs: {
        FormField: {
          type: 'object',
          required: ['name', 'label', 'type'],
          properties: {
            name: { type: 'string' },
            label: { type: 'string' },
            type: { type: 'string', enum: ['text', 'email', 'phone'] },
            required: { type: 'boolean' },
            options: { type: 'array', items: { type: 'string' } },
            maps_to: { type: ['string', 'null'] },
          },
        },
      },
    },
    example: {
      title: 'Chat with us',
      accent_color: '#2B50CC',
      allowed_origins: ['*'],
      require_prechat: false,
      prechat_fields: [],
    },
  },
  {
    kind: 'webform',
    label: 'Web form',
    capabilities: {
      inbound: true,
      outbound: false,
      attachments: true,
      max_text_chars: null,
      max_attachment_bytes: 26214400,
      typing: false,
      receipts: false,
      hosted: true,
    },
    settings_schema: {
      type: 'object',
      required: ['title', 'fields'],
      properties: {
        title: str('Title', 'Heading of the form.'),
        fields: {
          type: 'array',
          title: 'Fields',
          description: 'What is asked.',
          items: { type: 'object', properties: {} },
        },
        submit_label: str('Button', 'Text of the send button.'),
        success: {
          type: 'object',
          title: 'After sending',
          description: 'What the visitor sees then.',
          properties: {
            message: str('Message', 'Shown on the thanks page.'),
            redirect_url: {
              type: ['string', 'null'],
              title: 'Redirect to',
              description: 'Address of your own thanks page.',
            },
          },
        },
        consent: {
          anyOf: [
            {
              type: 'object',
              title: 'Consent',
              description: 'The box for data protection.',
              properties: {
                required: { type: 'boolean', title: 'Required', description: 'Without it the form is not accepted.' },
                text: str('Text', 'The sentence beside the box.'),
                url: { type: ['string', 'null'], title: 'Policy', description: 'Link to your policy.' },
              },
            },
            { type: 'null' },
          ],
          title: 'Consent',
        },
        allowed_origins: {
          type: 'array',
          items: { type: 'string' },
          title: 'Allowed sites',
          description: 'Origins that may embed the form; * means any.',
        },
        moderation: {
          type: 'boolean',
          title: 'Moderation',
          description: 'Hold each submission until somebody approves it.',
        },
      },
    },
    example: {
      title: 'Call me back',
      submit_label: 'Send',
      fields: [{ name: 'phone', label: 'Phone', type: 'phone', required: true, options: [], maps_to: 'contact.phone' }],
      allowed_origins: ['*'],
    },
  },
  {
    kind: 'email',
    label: 'E-mail',
    capabilities: {
      inbound: true,
      outbound: true,
      attachments: true,
      max_text_chars: null,
      max_attachment_bytes: 26214400,
      typing: false,
      receipts: false,
      hosted: false,
    },
    settings_schema: {
      type: 'object',
      required: ['address', 'imap', 'smtp'],
      properties: {
        address: str('Address', 'The mailbox that customers write to.', { format: 'email' }),
        from_name: str('Sender name', 'Shown to customers beside the address.'),
        auth: signIn,
        imap: server('IMAP'),
        smtp: server('SMTP'),
        tags: {
          type: 'object',
          additionalProperties: { type: 'string' },
          title: 'Tags in the address',
          description:
            'Mail to a tagged address opens its conversation in a line of its own: billing is for support+billing@….',
          'x-lines': true,
        },
        backfill_days: {
          type: 'integer',
          title: 'Days to look back',
          description: 'How much old mail the first start takes in.',
          minimum: 0,
          maximum: 90,
          default: 3,
        },
        ignore_senders: {
          type: 'array',
          items: { type: 'string' },
          title: 'Ignored senders',
          description: 'Patterns with *, one each.',
        },
        accept_invalid_certs: {
          type: 'boolean',
          title: 'Accept invalid certificates',
          description: 'Only for test servers.',
          default: false,
        },
      },
    },
    example: {
      address: 'info@shop.example',
      from_name: 'Shop',
      imap: { host: 'imap.shop.example', port: 993, tls: 'implicit', username: 'info@shop.example', mailbox: 'INBOX' },
      smtp: { host: 'smtp.shop.example', port: 465, tls: 'implicit', username: 'info@shop.example' },
      backfill_days: 3,
      ignore_senders: [],
    },
  },
];
