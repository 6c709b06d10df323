/** Imports of the made-up server: one file in each state that people look at; an upload becomes another draft. */

const counts = (more = {}) => ({
  rows: 0,
  created: 0,
  updated: 0,
  skipped: 0,
  failed: 0,
  contacts: 0,
  leads: 0,
  companies: 0,
  deals: 0,
  removed: 0,
  kept: 0,
  ...more,
});
const columns = ['Имя', 'Телефон', 'E-mail', 'Компания', 'Бюджет'];
const mapping = [
  { column: 'Имя', field: 'contact.name' },
  { column: 'Телефон', field: 'contact.phone' },
  { column: 'E-mail', field: 'contact.email' },
  { column: 'Компания', field: 'company.name' },
];
const bad = (line, column, field, code, value) => ({
  row: line - 1,
  line,
  errors: [{ field, column, code, reason: code, value }],
});
const wrong = [
  bad(7, 'Телефон', 'contact.phone', 'ruined_number', '7,90E+10'),
  bad(31, 'E-mail', 'contact.email', 'bad_email', 'olga@'),
];
const made = (id, state, more) => ({
  id,
  kind: 'leads',
  state,
  file_name: `${id.slice(4)}.csv`,
  size: 48_213,
  total: 312,
  layout: { format: 'csv', encoding: 'windows-1251', delimiter: ';', header: true, sheet: null },
  columns,
  mapping,
  options: {
    on_duplicate: 'skip',
    region: 'RU',
    date_order: 'day_first',
    source: null,
    line_id: null,
    operator_id: null,
    pipeline_id: null,
    notify: false,
    send_out: true,
  },
  counts: counts(),
  error: null,
  operator_id: null,
  version: 1,
  created_at: new Date(Date.now() - 3_600_000).toISOString(),
  started_at: null,
  ended_at: null,
  ...more,
});
const whole = { rows: 312, created: 281, skipped: 29, failed: 2, contacts: 281, leads: 281, companies: 44 };
const all = [
  made('imp_exhibition', 'checked', { counts: counts(whole) }),
  made('imp_old-crm', 'running', { counts: counts({ ...whole, rows: 170, created: 150, skipped: 20, failed: 0 }) }),
  made('imp_partners', 'done', { counts: counts(whole) }),
];
const kept = [];
const preview = {
  columns,
  sheets: [],
  rows: [
    { line: 2, cells: ['Анна Белова', '8 900 123-45-67', 'anna@shop.example', '«Ромашка»', '10 000'], errors: [] },
    { line: 7, cells: ['Пётр', '7,90E+10', 'petr@shop.example', '', ''], errors: wrong[0].errors },
  ],
};

/** The answer, or nothing when this is none of its paths. */
export function answer(method, path, body) {
  const [a, id, action] = path;
  if (a === 'import-mappings') {
    if (method === 'POST') kept.push({ id: `imm_${kept.length}`, ...body });
    return method === 'POST' ? [201, kept.at(-1)] : [200, { items: kept, next_cursor: null }];
  }
  if (a !== 'imports') return undefined;
  if (!id && method === 'POST') {
    all.unshift(made(`imp_new-${all.length}`, 'draft', { created_at: new Date().toISOString() }));
    return [201, all[0]];
  }
  if (!id) return [200, { items: all, next_cursor: null }];
  const one = all.find((x) => x.id === id);
  if (!one) return undefined;
  if (action === 'preview') return [200, preview];
  if (action === 'errors') return [200, { items: wrong, next_cursor: null }];
  if (method === 'DELETE') {
    all.splice(all.indexOf(one), 1);
    return [204];
  }
  const next = { check: 'checked', start: 'done', cancel: 'cancelled', undo: 'undone' }[action];
  if (next) Object.assign(one, { state: next, counts: counts(whole) });
  if (next === 'undone') one.counts = counts({ removed: 601, kept: 5 });
  if (method === 'PATCH') Object.assign(one, body, { state: 'draft', version: one.version + 1 });
  return [200, one];
}
