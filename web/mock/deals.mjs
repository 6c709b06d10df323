/** Pipelines, deals, tasks and the funnel of the made-up server, with the fields of the real one. */
import { timeline } from './people.mjs';
import { id } from './seed.mjs';

const now = () => new Date().toISOString();
const ago = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();
const page = (items) => ({ items, next_cursor: null });

function fill(db) {
  const stage = (name, kind, color) => ({ id: id('stg'), name, kind, color });
  const pipeline = (name, currency, stages) => ({
    id: id('pip'),
    name,
    currency,
    stages,
    version: 1,
    created_at: ago(2000),
    updated_at: ago(2000),
  });
  const sales = pipeline('Sales', 'USD', [
    stage('New', 'open', 'blue'),
    stage('Qualified', 'open', 'teal'),
    stage('Offer sent', 'open', 'amber'),
    stage('Won', 'won', 'green'),
    stage('Lost', 'lost', 'red'),
  ]);
  const wholesale = pipeline('Wholesale', 'EUR', [
    stage('Request', 'open', 'violet'),
    stage('Sample', 'open', 'orange'),
    stage('Won', 'won', 'green'),
    stage('Lost', 'lost', 'red'),
  ]);
  db.pipelines = [sales, wholesale];
  db.reasons = ['Too expensive', 'Chose somebody else', 'No answer'].map((name) => ({ id: id('rsn'), name }));
  db.assignment = {
    rules: [
      {
        name: 'Large orders',
        off: false,
        line_ids: [],
        channel_ids: [],
        sources: ['google'],
        min_amount: '10000',
        below_amount: null,
        to: [{ operator_id: db.users[0].id }],
        choose: 'first',
        online_only: false,
        max_open: null,
      },
    ],
    version: 1,
    updated_at: ago(20),
  };
  const titles = [
    'Brass lamps for a hotel lobby',
    'Ten chairs',
    'Кухня под заказ, 4,2 м',
    'Office refit, second floor',
    'Lamp repair',
    'Restaurant terrace',
    'میز ناهارخوری',
    'Yearly contract',
    'Spare parts',
    'Shop window lights',
    'Bedroom set',
    'Stage lights for the spring festival in the old town',
  ];
  db.deals = titles.map((title, i) => {
    const to = sales.stages[[0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 0, 1][i]];
    const contact = db.contacts[i % db.contacts.length];
    return {
      id: id('dea'),
      title,
      amount: i === 4 ? null : `${(i + 1) * 850}.${i % 3 ? '00' : '50'}`,
      currency: i % 5 === 2 ? 'EUR' : 'USD',
      pipeline_id: sales.id,
      stage_id: to.id,
      state: to.kind,
      stage_since: ago(3 + i * 9),
      contact_id: contact.id,
      contact_name: contact.name,
      company_id: null,
      company_name: i % 4 ? null : 'Harbour Hotels',
      lead_id: db.leads[i % db.leads.length]?.id ?? null,
      line_id: db.leads[i % db.leads.length]?.line_id ?? null,
      operator_id: i % 4 === 3 ? null : db.users[i % db.users.length].id,
      loss_reason: to.kind === 'lost' ? 'Too expensive' : null,
      fields: {},
      tags: i % 3 ? [] : ['VIP'],
      next_task: null,
      version: 1,
      created_at: ago(30 + i * 20),
      updated_at: ago(3 + i),
      closed_at: to.kind === 'open' ? null : ago(3),
    };
  });
  const task = (title, hours, on, done = false) => ({
    id: id('tsk'),
    title,
    due_at: hours === null ? null : ago(-hours),
    done_at: done ? ago(1) : null,
    remind_at: null,
    reminded_at: null,
    operator_id: db.users[0].id,
    created_by: db.users[0].id,
    on: on && { type: on.id.startsWith('dea') ? 'deal' : 'lead', id: on.id },
    on_title: on?.title ?? null,
    version: 1,
    created_at: ago(50),
    updated_at: ago(50),
  });
  db.tasks = [
    task('Call back about delivery', -3, db.deals[0]),
    task('Send the offer', 2, db.deals[3]),
    task('Ask for the drawing of the lobby, with the heights of the ceiling', 30, db.deals[5]),
    task('Check the warehouse', null, null),
    task('Write the first mail', -5, db.leads[0], true),
  ];
}

const next = (db, deal) =>
  db.tasks
    .filter((t) => t.on?.id === deal.id && !t.done_at)
    .sort((a, b) => (a.due_at ?? '9').localeCompare(b.due_at ?? '9'))
    .map(({ id, title, due_at }) => ({ id, title, due_at }))[0] ?? null;
const shown = (db, deal) => ({ ...deal, next_task: next(db, deal) });

function narrowed(db, q, me) {
  const text = (q.get('q') ?? '').toLowerCase();
  const operator = q.get('operator') === 'me' ? me.id : q.get('operator');
  return db.deals
    .filter(
      (d) =>
        (!text || `${d.title} ${d.contact_name}`.toLowerCase().includes(text)) &&
        (!operator || d.operator_id === operator) &&
        ['pipeline', 'stage', 'contact', 'lead', 'line'].every((k) => !q.get(k) || d[`${k}_id`] === q.get(k)) &&
        (!q.get('state') || d.state === q.get('state')),
    )
    .sort((a, b) => b.stage_since.localeCompare(a.stage_since));
}

function totals(deals) {
  return [...new Set(deals.map((d) => d.stage_id))].map((stage_id) => {
    const here = deals.filter((d) => d.stage_id === stage_id);
    const sums = [...new Set(here.map((d) => d.currency))].sort().map((currency) => ({
      currency,
      amount: here
        .filter((d) => d.currency === currency)
        .reduce((sum, d) => sum + Number(d.amount ?? 0), 0)
        .toFixed(2),
    }));
    return { stage_id, count: here.length, sums, at_least: false };
  });
}

function funnel(pipeline) {
  const reached = [48, 31, 18, 11];
  const way = pipeline.stages.filter((s) => s.kind !== 'lost');
  const row = (s, count, before) => ({
    stage_id: s.id,
    name: s.name,
    kind: s.kind,
    reached: count,
    of_all: count / 48,
    of_previous: s.kind === 'lost' ? null : count / before,
    now: 5,
    lost: s.kind === 'open' ? 6 : 0,
    median_secs: s.kind === 'open' ? 86_400 * 2 : null,
    mean_secs: s.kind === 'open' ? 86_400 * 3 : null,
  });
  const rows = way.map((s, i) => row(s, reached[i] ?? 0, i ? reached[i - 1] : 48));
  for (const s of pipeline.stages.filter((x) => x.kind === 'lost')) rows.push(row(s, 16, 48));
  return { pipeline_id: pipeline.id, deals: 48, won: 11, lost: 16, median_won_secs: 86_400 * 9, rows };
}

function due(task, kind) {
  if (task.done_at) return false;
  if (!task.due_at) return kind === 'someday';
  const at = new Date(task.due_at).getTime();
  const midnight = new Date().setHours(24, 0, 0, 0);
  return kind === (at < Date.now() ? 'overdue' : at < midnight ? 'today' : 'later');
}

/** The answer to one of these paths; null when it is none of them. */
export function answer(db, me, method, [a, b, c], q, body, emit, fail) {
  if (!db.pipelines) fill(db);
  const known = (list) => list.find((x) => x.id === b) ?? fail(404, 'not-found', 'There is no such thing.');
  const missing = (field, message) => fail(422, 'validation', message, [{ field, message }]);
  if (a === 'pipelines') {
    if (method === 'GET') return [200, b ? known(db.pipelines) : page(db.pipelines)];
    if (method === 'DELETE') {
      db.pipelines = db.pipelines.filter((p) => p.id !== b);
      return [204];
    }
    const made = b
      ? known(db.pipelines)
      : { id: id('pip'), currency: 'USD', version: 0, created_at: now(), updated_at: now() };
    const { move_deals: _moved, version: _version, ...fields } = body;
    Object.assign(made, fields, { version: made.version + 1 });
    made.stages = made.stages.map((s) => ({ ...s, id: s.id ?? id('stg') }));
    if (!b) db.pipelines.push(made);
    emit('pipeline.updated', { id: made.id });
    return [b ? 200 : 201, made];
  }
  if (a === 'loss-reasons') {
    if (method === 'PUT') db.reasons = body.items.map((r) => ({ id: r.id ?? id('rsn'), name: r.name }));
    return [200, page(db.reasons)];
  }
  if (a === 'lead-assignment') {
    if (method === 'PUT') db.assignment = { rules: body.rules, version: db.assignment.version + 1, updated_at: now() };
    return [200, db.assignment];
  }
  if (a === 'reports' && b === 'funnel')
    return [200, funnel(db.pipelines.find((p) => p.id === q.get('pipeline')) ?? db.pipelines[0])];
  if ((a === 'deals' || a === 'leads') && c === 'timeline') {
    const one = (a === 'deals' ? db.deals : db.leads).find((x) => x.id === b);
    const contact = db.contacts.find((x) => x.id === one?.contact_id);
    return [200, page(contact ? timeline(db, contact, (q.get('kinds') ?? '').split(',').filter(Boolean)) : [])];
  }
  if (a === 'deals') {
    if (b === 'totals') return [200, page(totals(narrowed(db, q, me)))];
    if (c === 'moves') {
      const deal = known(db.deals);
      const stages = db.pipelines.find((p) => p.id === deal.pipeline_id).stages;
      const to = stages.findIndex((s) => s.id === deal.stage_id);
      return [
        200,
        page(
          stages.slice(0, to + 1).map((s, i) => ({
            from_stage_id: stages[i - 1]?.id ?? null,
            stage_id: s.id,
            pipeline_id: deal.pipeline_id,
            operator_id: db.users[0].id,
            at: ago((to - i + 1) * 20),
          })),
        ),
      ];
    }
    if (method === 'GET' && b) return [200, shown(db, known(db.deals))];
    if (method === 'GET') return [200, page(narrowed(db, q, me).map((d) => shown(db, d)))];
    if (method === 'DELETE') {
      db.deals = db.deals.filter((d) => d.id !== b);
      emit('deal.removed', { id: b });
      return [204];
    }
    const deal = b
      ? known(db.deals)
      : {
          ...db.deals[0],
          id: id('dea'),
          contact_id: null,
          contact_name: null,
          company_name: null,
          lead_id: null,
          operator_id: me.id,
          tags: [],
          version: 0,
          created_at: now(),
        };
    if (b && body.version && body.version !== deal.version) fail(409, 'conflict', 'Somebody changed it meanwhile.');
    const pipeline = db.pipelines.find((p) => p.id === (body.pipeline_id ?? deal.pipeline_id));
    const stage = pipeline.stages.find((s) => s.id === body.stage_id);
    if (stage?.kind === 'lost' && !body.loss_reason) missing('loss_reason', 'say why it is lost');
    const { version: _version, ...fields } = body;
    Object.assign(deal, fields, { version: deal.version + 1, updated_at: now() });
    if (stage)
      Object.assign(deal, {
        state: stage.kind,
        stage_since: now(),
        closed_at: stage.kind === 'open' ? null : now(),
        loss_reason: stage.kind === 'lost' ? body.loss_reason : null,
      });
    if (!b) db.deals.unshift(deal);
    emit(b ? 'deal.updated' : 'deal.created', shown(db, deal));
    return [b ? 200 : 201, shown(db, deal)];
  }
  if (a === 'leads' && c === 'convert') {
    const lead = known(db.leads);
    const pipeline = db.pipelines[0];
    const deal = {
      ...db.deals[0],
      ...body.deal,
      id: id('dea'),
      pipeline_id: body.deal?.pipeline_id ?? pipeline.id,
      stage_id: pipeline.stages[0].id,
      state: 'open',
      lead_id: lead.id,
      contact_id: lead.contact_id,
      contact_name: lead.contact_name,
      tags: [],
      version: 1,
      stage_since: now(),
      created_at: now(),
    };
    db.deals.unshift(deal);
    Object.assign(lead, { status: 'converted', deal_id: deal.id, version: lead.version + 1 });
    emit('deal.created', deal);
    emit('lead.updated', lead);
    return [200, { ...lead, deal, company_id: null }];
  }
  if (a === 'leads' && c === 'reopen') {
    const lead = known(db.leads);
    Object.assign(lead, { status: 'in_progress', deal_id: null, version: lead.version + 1 });
    emit('lead.updated', lead);
    return [200, lead];
  }
  if (a === 'tasks') {
    if (b === 'counts')
      return [
        200,
        {
          overdue: db.tasks.filter((t) => due(t, 'overdue')).length,
          today: db.tasks.filter((t) => due(t, 'today')).length,
        },
      ];
    if (method === 'GET') {
      const about = ['contact', 'lead', 'deal', 'conversation', 'company', 'person'].map((k) => q.get(k)).find(Boolean);
      return [
        200,
        page(
          db.tasks.filter(
            (t) =>
              (!about || t.on?.id === about) &&
              (!q.get('due') || due(t, q.get('due'))) &&
              (q.get('state') !== 'done' || t.done_at) &&
              (q.get('state') !== 'open' || !t.done_at),
          ),
        ),
      ];
    }
    if (method === 'DELETE') {
      db.tasks = db.tasks.filter((t) => t.id !== b);
      emit('task.removed', { id: b });
      return [204];
    }
    const task = b ? known(db.tasks) : { ...db.tasks[3], id: id('tsk'), created_at: now(), version: 0 };
    const { done, version: _version, ...fields } = body;
    Object.assign(task, fields, { version: task.version + 1 });
    if (done !== undefined) task.done_at = done ? now() : null;
    task.on_title = db.deals.find((d) => d.id === task.on?.id)?.title ?? task.on_title;
    if (!b) db.tasks.unshift(task);
    emit('task.updated', task);
    return [b ? 200 : 201, task];
  }
  return null;
}
