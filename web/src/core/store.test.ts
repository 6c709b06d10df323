import { describe, expect, it } from 'vitest';
import type { Conversation, LogEvent, Message } from '../api/types';
import { Store, belongs, compareFor, placeMessage, type Nudge } from './store';

const ME = 'opr_me';
function conv(
  id: string,
  at: number,
  extra: Partial<Conversation> & { owner?: string | null; state?: string } = {},
): Conversation {
  const { owner = ME, state = 'assigned', ...rest } = extra;
  const time = new Date(at * 1000).toISOString();
  return {
    id,
    number: 1,
    line_id: 'lin_1',
    channel_id: 'chn_1',
    channel_kind: 'webchat',
    contact: { id: 'cnt_' + id, name: id },
    lead_id: null,
    subject: null,
    priority: 0,
    tags: [],
    unread: 0,
    version: 1,
    session: {
      id: 'ses',
      state,
      operator_id: owner,
      offered_to: [],
      offer_expires_at: null,
      opened_at: time,
      waiting_since: time,
      due_at: null,
      first_reply_at: null,
      closed_at: null,
      close_reason: null,
      rating: null,
    },
    participants: [],
    channel_name: 'Chat',
    line_name: 'Support',
    contact_claimed: false,
    may_pull: true,
    can_edit: true,
    can_delete: true,
    can_reply_to: true,
    can_have_buttons: false,
    can_reply: true,
    recipients: false,
    rich_text: false,
    client_read_seq: 0,
    client_delivered_seq: 0,
    last_message: { id: 'm', text: 'x', kind: 'inbound', at: time },
    address_problem: null,
    merged_into: null,
    links: [],
    last_seq: 1,
    read_seq: 0,
    created_at: time,
    updated_at: time,
    ...rest,
  };
}
const msg = (id: string, conversation_id: string, seq: number, extra: Partial<Message> = {}): Message => ({
  id,
  conversation_id,
  seq,
  kind: 'inbound',
  author: { type: 'contact', id: 'cnt', name: 'C' },
  text: id,
  html: null,
  attachments: [],
  external_id: null,
  client_id: null,
  delivery: null,
  recipients: [],
  automatic: false,
  new_participant: false,
  missing_files: [],
  buttons: [],
  reactions: [],
  created_at: '',
  ...extra,
});
const updated = (data: Conversation): LogEvent => ({ seq: 1, at: '', type: 'conversation.updated', data });
const created = (data: Message): LogEvent => ({ seq: 1, at: '', type: 'message.created', data });

function store(view: 'mine' | 'queue' | 'all' | 'closed' = 'mine'): Store {
  const s = new Store();
  s.me = ME;
  s.beginList(view, {}, false);
  return s;
}

describe('views', () => {
  it('a conversation belongs where the server would list it', () => {
    const mine = conv('a', 1);
    const waiting = conv('b', 1, { state: 'waiting', owner: null });
    const closed = conv('c', 1, { state: 'closed' });
    const table = [mine, waiting, closed].map((c) =>
      (['mine', 'queue', 'all', 'closed'] as const).filter((v) => belongs(c, v, {}, ME)),
    );
    expect(table).toEqual([['mine', 'all'], ['queue', 'all'], ['closed']]);
    expect(belongs(mine, 'mine', { line: 'lin_2' }, ME)).toBe(false);
    const snoozed = conv('d', 1, { snoozed_until: '2026-11-23T09:00:00Z' });
    expect([belongs(snoozed, 'mine', {}, ME), belongs(snoozed, 'all', {}, ME)]).toEqual([false, true]);
  });

  it('the queue begins with the most urgent, then with who waits longest', () => {
    const rows = [conv('late', 9), conv('early', 1), conv('urgent', 20, { priority: 2 })];
    expect(rows.sort(compareFor('queue')).map((c) => c.id)).toEqual(['urgent', 'early', 'late']);
  });

  it('elsewhere the latest activity comes first', () => {
    expect([conv('a', 1), conv('b', 3), conv('c', 2)].sort(compareFor('all')).map((c) => c.id)).toEqual([
      'b',
      'c',
      'a',
    ]);
  });
});

describe('split and merge', () => {
  const moved = (data: Message): LogEvent => ({ seq: 2, at: '', type: 'message.updated', data });
  const ids = (s: Store, id: string): string[] | undefined => s.threads.get(id)?.items.map((m) => m.id);

  it('a message that moved leaves its thread and stands at its number in the other', () => {
    const s = store();
    const thread = (items: Message[]) => ({ items, older: false, state: 'ready' as const, error: null });
    s.setThread('a', thread([msg('one', 'a', 1), msg('two', 'a', 2)]));
    s.setThread('b', thread([msg('other', 'b', 1)]));
    s.apply([moved(msg('two', 'b', 5)), moved(msg('other', 'b', 6))]);
    expect([ids(s, 'a'), ids(s, 'b')]).toEqual([['one'], ['two', 'other']]);
    s.apply([moved(msg('two', 'b', 5, { text: 'again' }))]);
    expect(ids(s, 'b')).toEqual(['two', 'other']);
  });
});

describe('store', () => {
  it('moves a conversation between the lists as events arrive', () => {
    const s = store('queue');
    s.fillList([conv('a', 1, { state: 'waiting', owner: null })], null, false);
    s.apply([updated(conv('b', 2, { state: 'waiting', owner: null }))]);
    expect(s.list.ids).toEqual(['a', 'b']);
    s.apply([updated(conv('a', 1, { version: 2 }))]);
    expect(s.list.ids).toEqual(['b']);
  });

  it('does not let an older state replace a newer one', () => {
    const s = store();
    s.putConversation(conv('a', 1, { version: 5, tags: ['new'] }));
    s.apply([updated(conv('a', 1, { version: 4, tags: ['old'] }))]);
    expect(s.conversations.get('a')?.tags).toEqual(['new']);
  });

  it('leaves what is beyond the loaded pages to the next page', () => {
    const s = store('all');
    s.fillList([conv('a', 50), conv('b', 40)], 'cursor', false);
    s.apply([updated(conv('old', 10)), updated(conv('new', 60))]);
    expect(s.list.ids).toEqual(['new', 'a', 'b']);
  });

  it('tells once for a whole batch', () => {
    const s = store('all');
    let lists = 0;
    let threads = 0;
    s.setThread('a', { items: [], older: false, state: 'ready', error: null });
    s.listChanged.subscribe(() => lists++);
    s.threadChanged('a').subscribe(() => threads++);
    s.apply([
      created(msg('m1', 'a', 1)),
      updated(conv('a', 1)),
      created(msg('m2', 'a', 2)),
      updated(conv('a', 2, { version: 2 })),
    ]);
    expect([lists, threads]).toEqual([1, 1]);
    expect(s.threads.get('a')?.items.map((m) => m.id)).toEqual(['m1', 'm2']);
  });

  it('replaces a message that changes and keeps the order by seq', () => {
    const items = [msg('a', 'c', 1), msg('c', 'c', 3)];
    expect(placeMessage(items, msg('b', 'c', 2)).map((m) => m.id)).toEqual(['a', 'b', 'c']);
    expect(placeMessage(items, msg('a', 'c', 1, { text: 'new' })).map((m) => m.text)).toEqual(['new', 'c']);
  });

  it('asks for attention for what is mine: an assignment, then its messages', () => {
    const s = store();
    const heard: Nudge['type'][] = [];
    s.nudge.subscribe((n) => heard.push(n.type));
    s.apply([created(msg('m1', 'a', 1)), updated(conv('a', 1))]);
    s.apply([created(msg('m2', 'a', 2)), updated(conv('a', 2, { version: 2 }))]);
    s.apply([created(msg('m3', 'b', 1)), updated(conv('b', 3, { owner: 'opr_other' }))]);
    s.apply([updated(conv('w', 4, { state: 'waiting', owner: null }))]);
    expect(heard).toEqual(['assigned', 'message', 'queued']);
  });

  it('forgets what it may not see any more', () => {
    const s = store('all');
    s.fillList([conv('a', 1)], null, false);
    s.apply([{ seq: 2, at: '', type: 'conversation.removed', data: { id: 'a' } }]);
    expect(s.list.ids).toEqual([]);
    expect(s.conversations.has('a')).toBe(false);
  });

  it('typing ends by itself and with the message', () => {
    const s = store();
    s.setTyping('a', 'Z', false, undefined, 1000);
    s.expireTyping(2000);
    expect(s.typing.size).toBe(1);
    s.expireTyping(8000);
    expect(s.typing.size).toBe(0);
    s.setTyping('a', 'Z', false, undefined, 9000);
    s.apply([created(msg('m', 'a', 1))]);
    expect(s.typing.size).toBe(0);
  });

  it('stays fast with ten thousand rows', () => {
    const s = store('all');
    s.fillList(
      Array.from({ length: 10_000 }, (_, i) => conv(`c${i}`, i)),
      null,
      false,
    );
    const start = performance.now();
    for (let i = 0; i < 20; i++) s.apply([updated(conv(`c${i}`, 20_000 + i, { version: 2 }))]);
    // 50 updates a second leave 20 ms each; this machine is slower than an operator's.
    expect((performance.now() - start) / 20).toBeLessThan(30);
    expect(s.list.ids[0]).toBe('c19');
  });
});
