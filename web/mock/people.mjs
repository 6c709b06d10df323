/** Companies, fields of admins, tags, timelines and merges of the made-up server: plausible, not the real rules. */
import { id } from './seed.mjs';

const now = () => new Date().toISOString();
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

export function addPeople(db) {
  const company = (name, extra = {}) => ({
    id: id('cmp'),
    name,
    phones: [],
    emails: [],
    website: null,
    tax_number: null,
    operator_id: null,
    fields: {},
    tags: [],
    contact_count: 0,
    version: 1,
    created_at: ago(90_000),
    updated_at: ago(500),
    ...extra,
  });
  db.companies = [
    company('Atlas Interiors', {
      phones: ['+442079460018'],
      emails: ['hello@atlas.example'],
      website: 'https://atlas.example',
      tax_number: '7701234567',
      operator_id: db.users[0].id,
      tags: ['partner', 'wholesale'],
      fields: { employees: 40 },
    }),
    company('ООО «Ромашка»', { tax_number: '5012345678', phones: ['+74951234567'] }),
    company('شرکت نور', { website: 'https://noor.example' }),
  ];
  const field = (object, key, label, type, extra = {}) => ({
    id: id('cfd'),
    object,
    key,
    label,
    type,
    options: [],
    required: false,
    version: 1,
    created_at: ago(9_000),
    updated_at: ago(9_000),
    ...extra,
  });
  const tiers = ['bronze', 'silver', 'gold'].map((v) => ({ value: v, label: v[0].toUpperCase() + v.slice(1) }));
  db.fields = [
    field('contact', 'tier', 'Tier', 'select', { options: tiers }),
    field('contact', 'birthday', 'Birthday', 'date'),
    field('contact', 'newsletter', 'Wants the newsletter', 'checkbox'),
    field('contact', 'interests', 'Interests', 'multi_select', {
      options: ['Lamps', 'Chairs', 'Tables'].map((v) => ({ value: v.toLowerCase(), label: v })),
    }),
    field('contact', 'spent', 'Spent so far', 'money'),
    field('company', 'employees', 'Employees', 'number'),
    field('lead', 'budget', 'Budget', 'money', { required: true }),
  ];
  db.merges = [];
  db.changes = [];
  db.contacts.forEach((c, i) => {
    c.tags = i === 0 ? ['vip', 'returning'] : i === 2 ? ['wholesale'] : [];
    c.company_id = i === 0 || i === 2 ? db.companies[0].id : null;
    c.operator_id = i % 2 ? null : db.users[0].id;
    c.suggestions = (c.suggestions ?? []).map((s) => ({ created_at: ago(60), ...s }));
    c.identities.forEach((x) => Object.assign(x, { via: x.verified ? 'voip' : 'webform', added_by: null }));
    if (i === 0)
      c.fields = {
        ...c.fields,
        tier: 'gold',
        birthday: '1991-04-12',
        newsletter: true,
        interests: ['lamps', 'tables'],
        spent: { amount: '1280500.00', currency: 'UZS' },
      };
  });
  const first = db.contacts[0];
  const change = (minutes, fieldName, old, value) => ({
    kind: 'change',
    id: id('fch'),
    at: ago(minutes),
    change: {
      object_id: first.id,
      field: fieldName,
      old,
      new: value,
      operator_id: db.users[0].id,
      operator_name: db.users[0].name,
    },
  });
  db.changes.push(change(75, 'fields.tier', 'silver', 'gold'), change(80, 'tags', ['returning'], ['returning', 'vip']));
}

const named = (db, c) =>
  Object.assign(c, { company_name: db.companies.find((x) => x.id === c.company_id)?.name ?? null });
const nothing = {
  message: null,
  call: null,
  submission: null,
  change: null,
  lead: null,
  merge: null,
  deal: null,
  task: null,
};

export function timeline(db, c, kinds) {
  const threads = db.conversations.filter((x) => x.contact.id === c.id);
  const ref = (x) =>
    x && { id: x.id, number: x.number, channel_kind: x.channel_kind, subject: x.subject, contact: x.contact };
  const entries = [
    ...db.messages
      .filter((m) => threads.some((x) => x.id === m.conversation_id))
      .map((m) => ({
        kind: m.kind === 'note' ? 'note' : m.kind === 'system' ? 'system' : 'message',
        id: m.id,
        at: m.created_at,
        conversation: ref(threads.find((x) => x.id === m.conversation_id)),
        message: m,
      })),
    ...db.leads
      .filter((l) => l.contact_id === c.id)
      .map((lead) => ({ kind: 'lead', id: lead.id, at: lead.created_at, lead })),
    ...db.merges
      .filter((m) => m.into.id === c.id || m.from.id === c.id)
      .map((merge) => ({ kind: 'merge', id: merge.id, at: merge.created_at, merge })),
    ...db.changes.filter((x) => x.change.object_id === c.id),
  ];
  return entries
    .filter((e) => kinds.length === 0 || kinds.includes(e.kind))
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, 50)
    .map((e) => ({ conversation: null, ...nothing, ...e }));
}

function merge(db, me, into, from) {
  const found = db.contacts.find((x) => x.id === from);
  if (!found) return null;
  const record = {
    id: id('mrg'),
    from: { id: found.id, name: found.name },
    into: { id: into.id, name: into.name },
    operator_id: me.id,
    operator_name: me.name,
    created_at: now(),
    undone_at: null,
    undone_by: null,
    before: structuredClone({ into, from: found }),
  };
  db.merges.push(record);
  for (const x of db.conversations) if (x.contact.id === from) x.contact = { id: into.id, name: into.name };
  for (const l of db.leads) if (l.contact_id === from) l.contact_id = into.id;
  Object.assign(into, {
    emails: [...new Set([...into.emails, ...found.emails])],
    phones: [...new Set([...into.phones, ...found.phones])],
    identities: [...into.identities, ...found.identities],
    tags: [...new Set([...into.tags, ...found.tags])],
    fields: { ...found.fields, ...into.fields },
    suggestions: into.suggestions.filter((s) => s.contact_id !== from),
    company_id: into.company_id ?? found.company_id,
    version: into.version + 1,
  });
  Object.assign(found, { merged_into: into.id, emails: [], phones: [], identities: [] });
  return { merge_id: record.id, from_id: from, into_id: into.id, ...named(db, into) };
}

function unmerge(db, contact, mergeId) {
  const record = db.merges.findLast(
    (m) => !m.undone_at && (mergeId ? m.id === mergeId : [m.into.id, m.from.id].includes(contact.id)),
  );
  if (!record) return null;
  record.undone_at = now();
  for (const side of ['into', 'from']) {
    const c = db.contacts.find((x) => x.id === record[side].id);
    Object.assign(c, record.before[side], { merged_into: null, version: c.version + 1 });
  }
  return { merge_id: record.id, from_id: record.from.id, into_id: record.into.id, ...named(db, contact) };
}

/** What this part answers; nothing for the rest. */
export function answer(db, me, method, path, q, body) {
  const [a, b, c] = path;
  const list = (items) => ({ items, next_cursor: null });
  if (a === 'tags') {
    const source = q.get('object') === 'company' ? db.companies : db.contacts;
    return list([...new Set(source.flatMap((x) => x.tags ?? []))].sort());
  }
  if (a === 'custom-fields') {
    const at = db.fields.findIndex((x) => x.id === b);
    const placed = () =>
      db.fields.map((x) => ({ ...x, position: db.fields.filter((y) => y.object === x.object).indexOf(x) }));
    if (method === 'GET') return list(placed());
    if (method === 'POST')
      db.fields.push({ options: [], required: false, ...body, id: id('cfd'), version: 1, created_at: now() });
    if (method === 'DELETE') db.fields.splice(at, 1);
    if (method === 'PATCH') Object.assign(db.fields[at], body);
    return db.fields[at] ?? db.fields.at(-1);
  }
  if (a === 'companies') {
    const one = db.companies.find((x) => x.id === b);
    if (c === 'duplicates') return list([]);
    if (c === 'timeline') {
      const kinds = (q.get('kinds') ?? '').split(',').filter(Boolean);
      return list(db.contacts.filter((x) => x.company_id === b).flatMap((x) => timeline(db, x, kinds)));
    }
    const counted = (x) => ({ ...x, contact_count: db.contacts.filter((y) => y.company_id === x.id).length });
    if (!b && method === 'GET') {
      const text = (q.get('q') ?? '').toLowerCase();
      return list(
        db.companies
          .filter((x) => x.name.toLowerCase().includes(text) && (!q.get('tag') || x.tags.includes(q.get('tag'))))
          .map(counted),
      );
    }
    if (!b) {
      const made = { phones: [], emails: [], fields: {}, tags: [], ...body, id: id('cmp'), version: 1 };
      db.companies.push(made);
      return counted(made);
    }
    if (method === 'DELETE') db.companies.splice(db.companies.indexOf(one), 1);
    if (method === 'PATCH' && one) Object.assign(one, body, { fields: { ...one.fields, ...body.fields } });
    return one && counted(one);
  }
  if (a !== 'contacts') return undefined;
  const one = db.contacts.find((x) => x.id === b);
  if (!b && method === 'GET') {
    const text = (q.get('q') ?? '').toLowerCase();
    const fits = (x) =>
      !x.merged_into &&
      [x.name ?? '', ...x.emails, ...x.phones].some((y) => y.toLowerCase().includes(text)) &&
      (!q.get('company') || x.company_id === q.get('company')) &&
      (!q.get('tag') || x.tags.includes(q.get('tag'))) &&
      (!q.get('duplicates') || x.suggestions.length > 0) &&
      (!q.get('operator') || x.operator_id === (q.get('operator') === 'me' ? me.id : q.get('operator')));
    return list(db.contacts.filter(fits).map((x) => named(db, x)));
  }
  if (!b) {
    const made = {
      ...{ emails: [], phones: [], identities: [], tags: [], suggestions: [], fields: {}, merged_into: null },
      ...body,
      ...{ id: id('cnt'), version: 1, created_at: now(), updated_at: now() },
    };
    db.contacts.unshift(made);
    return named(db, made);
  }
  if (!one) return undefined;
  if (c === 'timeline') return list(timeline(db, one, (q.get('kinds') ?? '').split(',').filter(Boolean)));
  if (c === 'merge') return merge(db, me, one, body.from);
  if (c === 'unmerge') return unmerge(db, one, body?.merge_id);
  if (c === 'not-the-same') {
    one.suggestions = one.suggestions.filter((s) => s.contact_id !== body.other_id);
    return named(db, one);
  }
  if (!c && method === 'PATCH') {
    const fields = { ...one.fields, ...body.fields };
    Object.assign(one, body, { fields, version: one.version + 1 });
    return named(db, one);
  }
  if (!c && method === 'GET') return named(db, one);
  return undefined;
}
