/** The wall, warnings, hours and reasons of the made-up server: plausible shapes, not the real rules. */

const open = (c) => c.session.state !== 'closed';
const waits = (c) => ['waiting', 'offered'].includes(c.session.state);
const members = (db, line) => [
  ...new Set(line.queue.flatMap((q) => q.operator_id ?? db.teams.find((x) => x.id === q.team_id)?.member_ids ?? [])),
];
const rejection = (u) =>
  !u.enabled
    ? 'disabled'
    : u.presence !== 'online'
      ? u.presence
      : u.availability === 'paused'
        ? 'paused'
        : u.availability === 'off'
          ? 'off_shift'
          : u.load >= u.capacity
            ? 'at_capacity'
            : null;

function wall(db) {
  const waiting = db.conversations.filter(waits);
  return {
    at: new Date().toISOString(),
    lines: db.lines.map((line) => {
      const here = db.conversations.filter((c) => c.line_id === line.id && open(c));
      const queue = members(db, line).map((id) => db.users.find((u) => u.id === id));
      const count = (test) => queue.filter((u) => u && test(u)).length;
      return {
        id: line.id,
        name: line.name,
        enabled: line.enabled,
        open: true,
        opens_at: null,
        closes_at: null,
        waiting: here.filter((c) => c.session.state === 'waiting').length,
        oldest_waiting_since:
          here
            .filter(waits)
            .map((c) => c.session.waiting_since)
            .sort()[0] ?? null,
        offered: here.filter((c) => c.session.state === 'offered').length,
        assigned: here.filter((c) => c.session.state === 'assigned').length,
        overdue: here.filter((c) => c.session.due_at && Date.parse(c.session.due_at) < Date.now()).length,
        operators: {
          accepting: count((u) => u.presence === 'online' && u.availability === 'accepting'),
          away: count((u) => u.presence === 'away' && u.availability === 'accepting'),
          paused: count((u) => u.presence !== 'offline' && u.availability === 'paused'),
          off: count((u) => u.presence === 'offline' || u.availability === 'off'),
        },
      };
    }),
    operators: db.users.map((u) => ({
      id: u.id,
      name: u.name,
      presence: u.presence,
      availability: u.availability,
      availability_reason: u.availability_reason ?? null,
      availability_since: u.availability_since ?? null,
      load: u.load,
      capacity: u.capacity,
      line_ids: db.lines.filter((line) => members(db, line).includes(u.id)).map((line) => line.id),
      sessions: db.conversations
        .filter((c) => c.session.state === 'assigned' && c.session.operator_id === u.id)
        .map((c) => ({
          conversation_id: c.id,
          number: c.number,
          contact_name: c.contact.name,
          line_id: c.line_id,
          channel_kind: c.channel_kind,
          participants: c.participants ?? [],
          unread: c.unread,
          assigned_at: c.session.opened_at,
          owed_since: c.unread ? c.last_message?.at : null,
          snoozed_until: c.snoozed_until ?? null,
        })),
    })),
    waiting,
    waiting_total: waiting.length,
    cut: false,
  };
}

const warnings = (line) =>
  line.queue.length ? [] : [{ code: 'queue_empty', severity: 'error', field: 'queue', text: 'The queue is empty.' }];

function preview(db, c) {
  const line = db.lines.find((one) => one.id === c.line_id);
  const candidates = members(db, line).map((id, i) => {
    const u = db.users.find((one) => one.id === id);
    return { operator_id: id, load: u.load, rank: i + 1, rejected_by: rejection(u) };
  });
  const chosen = candidates.find((one) => !one.rejected_by);
  return {
    at: new Date().toISOString(),
    trigger: 'preview',
    algorithm: line.distribution,
    line_id: line.id,
    line_version: line.version,
    outcome: chosen ? 'assigned' : 'waiting',
    operator_id: chosen?.operator_id ?? null,
    candidates,
  };
}

function reasons(db, u) {
  const lines = db.lines.filter((line) => members(db, line).includes(u.id));
  const waiting = db.conversations.filter((c) => waits(c) && lines.some((line) => line.id === c.line_id));
  return {
    operator_id: u.id,
    at: new Date().toISOString(),
    enabled: u.enabled,
    presence: u.presence,
    availability: u.availability,
    load: u.load,
    capacity: u.capacity,
    lines: lines.map((line) => ({
      line_id: line.id,
      line_name: line.name,
      enabled: line.enabled,
      open: true,
      opens_at: null,
      rejected_by: rejection(u),
      rank: members(db, line).indexOf(u.id) + 1,
      members: members(db, line).length,
      free_before: 0,
      waiting: waiting.filter((c) => c.line_id === line.id).length,
    })),
    waiting: waiting.slice(0, 20).map((c) => ({
      conversation_id: c.id,
      number: c.number,
      contact_name: c.contact.name,
      line_id: c.line_id,
      channel_kind: c.channel_kind,
      priority: c.priority,
      waiting_since: c.session.waiting_since,
      outcome: 'waiting',
      algorithm: 'even',
      operator_id: null,
      rank: 1,
      rejected_by: rejection(u),
    })),
  };
}

/** The answer to one of these paths; null when it is none of them. */
export function answer(db, method, [a, b, c, d], body, emit) {
  const known = (list) => list.find((one) => one.id === b);
  if (a === 'wall') return [200, wall(db)];
  if (a === 'lines' && b === 'warnings')
    return [
      200,
      { items: db.lines.map((line) => ({ line_id: line.id, warnings: warnings(line) })), next_cursor: null },
    ];
  if (a === 'lines' && b === 'opening-preview') {
    const any = !body.hours || Object.keys(body.hours.weekly ?? {}).length > 0;
    return [200, { at: new Date().toISOString(), open: any, closes_at: null, opens_at: null }];
  }
  if (a === 'lines' && c === 'warnings' && known(db.lines))
    return [200, { items: warnings(known(db.lines)), next_cursor: null }];
  if (a === 'conversations' && c === 'routing' && d === 'preview' && known(db.conversations))
    return [200, preview(db, known(db.conversations))];
  if (a === 'users' && c === 'routing' && known(db.users)) return [200, reasons(db, known(db.users))];
  if (a === 'users' && c === 'availability' && method === 'PUT' && known(db.users)) {
    const u = known(db.users);
    Object.assign(u, { availability: body.state, availability_since: new Date().toISOString() });
    const { password: _password, ...shown } = u;
    emit('operator.updated', shown);
    return [200, shown];
  }
  return null;
}
