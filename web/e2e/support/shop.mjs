/** A working day of a small shop, made through the doors that customers and operators use. */
import { oneC, order } from './onec.mjs';
import { createServer } from 'node:http';
import { signIn } from './api.mjs';

export const boss = { email: 'mina@lamps.example', name: 'Mina Rahimi', password: 'the pictures are real' };
const staff = [
  { email: 'anna@lamps.example', name: 'Anna Berg', role: 'supervisor', languages: ['en', 'de'], skills: ['returns'] },
  { email: 'dilshod@lamps.example', name: 'Дилшод Каримов', role: 'operator', languages: ['ru', 'uz'], skills: [] },
  {
    email: 'lucas@lamps.example',
    name: 'Lucas Moreau',
    role: 'operator',
    languages: ['fr', 'en'],
    skills: ['wholesale'],
  },
];

/** Visitors of the chat: what they say (strings) and what is answered ([text]) or noted ({ note }). */
const chats = [
  {
    contact: { name: 'Emily Carter', email: 'emily.carter@mail.example', phone: '+44 20 7946 0018' },
    source: 'utm_source=newsletter&utm_medium=email&utm_campaign=autumn',
    talk: [
      'Hi! Is the green desk lamp still available?',
      ['Good morning, Emily. We have two left, both in the window.'],
      'Lovely. Could you send one to Bristol by Friday? It is a present, so please wrap it: https://lamps.example/green-desk-lamp',
      { note: 'Courier to Bristol takes two days. Ask the warehouse before noon.' },
      ['We can. It leaves today and a card is included. Shall I put your name on it?'],
      'Yes please, “from Emily and the boys” 🎁',
    ],
  },
  {
    contact: { name: 'Карим Юсупов', phone: '+998 90 123 45 67' },
    source: 'utm_source=yandex&utm_medium=cpc&utm_campaign=lampy',
    talk: [
      'Здравствуйте! Сколько стоит доставка в Самарканд?',
      ['Здравствуйте, Карим! До двери 45 000 сум, два дня.'],
      'А можно оплатить при получении?',
    ],
  },
  {
    contact: { name: 'Hannah Schmidt', email: 'h.schmidt@post.example' },
    talk: ['Die Lampe ist angekommen, aber der Schirm hat einen Riss. Was kann ich tun?'],
  },
  {
    contact: { name: 'نرگس احمدی' },
    talk: ['سلام، آیا این چراغ ضمانت دارد؟'],
  },
  { talk: ['hello?', 'is anybody there'] },
  {
    contact: { name: 'Zarina Nazarova', email: 'zarina@studio.example' },
    talk: [
      'I would like forty pendant lamps for a restaurant. Who can make an offer?',
      ['I can. Which height do the ceilings have?'],
      '4.2 m, and the bar is 11 m long.',
    ],
  },
];

const forms = [
  {
    name: 'Peter Holm',
    phone: '+46 8 123 456 78',
    email: 'peter@holm.example',
    comment: 'Do you rent lamps for weddings? We need thirty on 12 June.',
    utm_source: 'google',
    utm_medium: 'organic',
  },
  {
    name: '陳美玲',
    email: 'chen@design.example',
    comment: '請問可以寄到台北嗎？',
    utm_source: 'instagram',
    utm_medium: 'social',
  },
  {
    name: 'Iroda Karimova',
    phone: '+998 93 765 43 21',
    comment: 'Ten lamps for a hotel, invoice to the company please.',
  },
];

/** Sets an empty server up and fills it. Answers what the set-up made and a client of the admin. */
export async function openShop(server) {
  const post = async (path, body, headers = {}) => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const made = await post('/api/v1/setup', {
    token: new URL(server.setupLink).searchParams.get('token'),
    admin: boss,
    line_name: 'Support',
    site_origin: '*',
  });
  const api = await signIn(server.url, boss);
  const people = [];
  for (const person of staff) people.push(await api.post('/users', { ...person, password: 'another long password' }));
  const team = await api.post('/teams', { name: 'Showroom', member_ids: people.map(({ id }) => id) });
  await api.patch(`/users/${made.user.id}`, { capacity: 5 });
  await api.put('/me/presence', { state: 'online', ttl_secs: 600 });
  await api.patch(`/lines/${made.line.id}`, { sla: { first_reply_secs: 600, next_reply_secs: 3600 } });
  await api.post('/lines', {
    name: 'Wholesale',
    distribution: 'least_loaded',
    acceptance: 'offer',
    queue: [{ team_id: team.id }],
    hours: {
      time_zone: 'Europe/Berlin',
      weekly: { mon: [['09:00', '18:00']], tue: [['09:00', '18:00']] },
      exceptions: [],
    },
  });
  await api.post('/channels', {
    kind: 'email',
    line_id: made.line.id,
    name: 'hello@lamps.example',
    enabled: false,
    settings: {
      address: 'hello@lamps.example',
      from_name: 'Lamp shop',
      imap: { host: 'mail.lamps.example', port: 993, tls: 'implicit', username: 'hello', password: 'not a real one' },
      smtp: { host: 'mail.lamps.example', port: 465, tls: 'implicit', username: 'hello', password: 'not a real one' },
    },
  });
  await api.patch('/channels/' + made.webchat.id, {
    name: 'Shop chat',
    settings: { ...made.webchat.settings, title: 'Lamp shop', accent_color: '#0f766e' },
  });

  // The CRM that is told of leads hears everything, and ends with the process.
  const crm = createServer((request, response) => request.resume().on('end', () => response.end('{"ok":true}')));
  await new Promise((resolve) => crm.listen(0, '127.0.0.1', resolve));
  crm.unref();
  const hook = await api.post('/webhooks', {
    name: 'Lamp CRM',
    url: `http://127.0.0.1:${crm.address().port}/hooks/switchboard`,
    events: ['lead.*', 'contact.updated', 'call.updated'],
  });
  await api.post(`/webhooks/${hook.id}/test`, {});

  const exchange = await api.post('/commerce-exchanges', { name: 'Warehouse' });
  const warehouse = await oneC(exchange.url, exchange.password);
  const orders = [
    order('УТ-0042', '23 000,50', { status: 'Принят, ожидается оплата', paid: '2026-11-21' }),
    order('УТ-0043', 'сто', {}),
    order('УТ-0044', '4 500', { status: 'Отгружен', cancelled: true, customer: 'Иванова Анна' }),
  ];
  await warehouse.exchange('orders_1.xml', orders.join(''));
  await warehouse.exchange('orders_2.xml', '<Документ>'.repeat(80));

  for (const { contact, source = '', talk } of chats) {
    const base = `/widget/v1/${made.webchat.key}`;
    const page = { url: `https://lamps.example/desk?${source}`, referrer: 'https://search.example/', title: 'Lamps' };
    const session = await post(base + '/sessions', { page, contact });
    const token = { Authorization: `Bearer ${session.visitor_token}` };
    let conversation = null;
    for (const line of talk) {
      if (typeof line === 'string') {
        await post(base + '/messages', { client_id: crypto.randomUUID(), text: line, attachments: [] }, token);
        conversation ??= (await post(base + '/sessions', { page, visitor_token: session.visitor_token }))
          .conversation_id;
      } else {
        const [kind, text] = Array.isArray(line) ? ['reply', line[0]] : ['note', line.note];
        await api.post(`/conversations/${conversation}/messages`, { kind, text, client_id: crypto.randomUUID() });
      }
    }
    if (contact?.name === 'Zarina Nazarova')
      await api.post(`/conversations/${conversation}/tags`, { add: ['wholesale', 'offer'] });
    if (contact?.name === 'Hannah Schmidt') await api.post(`/conversations/${conversation}/priority`, { priority: 2 });
  }
  for (const [at, values] of forms.entries()) {
    await post('/f/' + made.webform.key, values, { 'Idempotency-Key': `shop-${at}` });
  }
  await sell(api, made.user);
  return { ...made, api };
}

/** A hotel that buys lamps: a company that may be there twice, its deals, and what is to be done about them. */
async function sell(api, me) {
  const people = (await api.get('/contacts?limit=100')).items;
  const named = (name) => people.find((contact) => contact.name === name)?.id;
  const hotel = await api.post('/companies', {
    name: 'Harbour Hotels Ltd',
    website: 'https://harbour-hotels.example',
    phones: ['+46 8 765 432 10'],
    tax_number: 'SE556677889901',
    tags: ['wholesale'],
  });
  await api.post('/companies', { name: 'Harbour Hotels', emails: ['info@harbour-hotels.example'] });
  const [iroda, zarina] = [named('Iroda Karimova'), named('Zarina Nazarova')];
  for (const id of [iroda, zarina]) await api.patch(`/contacts/${id}`, { company_id: hotel.id });
  const lead = (await api.get(`/leads?contact=${iroda}`)).items[0];
  const deal = await api.post('/deals', {
    title: 'Ten lamps for the lobby',
    amount: '1500',
    contact_id: iroda,
    company_id: hotel.id,
    lead_id: lead.id,
    tags: ['lobby'],
  });
  await api.post('/deals', { title: 'Lamps for the bar', contact_id: iroda, company_id: hotel.id });
  const stages = (await api.get('/pipelines')).items[0].stages;
  await api.patch(`/deals/${deal.id}`, { stage_id: stages[1].id, amount: '1650' });
  const hours = (count) => new Date(Date.now() + count * 3_600_000).toISOString();
  const task = (title, due, on) => api.post('/tasks', { title, due_at: due, operator_id: me.id, on });
  await task('Send the offer', hours(-3), { type: 'deal', id: deal.id });
  await task('Call back', hours(20), { type: 'contact', id: iroda });
  const done = await task('Ask for the plan of the lobby', hours(-26), { type: 'contact', id: iroda });
  await api.patch(`/tasks/${done.id}`, { done: true });
  await task('Meet the architect', hours(70), { type: 'company', id: hotel.id });
}
