/** Forms in the made-up server: what other services pushed, the lead it would make, how a form is used, transcripts. */
const PUSHED = {
  order: { id: 5017, total: '49.00', currency: 'EUR' },
  buyer: { given: 'Ann', family: 'Lee', contact: [{ kind: 'mobile', number: '+46 8 123 456 78' }] },
  about: 'The green lamp, please',
};

const event = (number, verdict, payload, reason = null) => ({
  number,
  at: new Date(Date.now() - number * 60_000).toISOString(),
  path: '/hooks/lead/offer',
  verdict,
  reason,
  payload,
  size: payload.length,
});

/** The answer to a request of forms, if it is one. */
export function forms(method, [a, b, c], body) {
  if (a === 'channels' && c === 'events')
    return [
      200,
      {
        items: [
          event(2, 'stored', JSON.stringify(PUSHED)),
          event(1, 'refused', 'name=Ann&tel=12', 'phone: This does not look like a phone number'),
        ],
        next_cursor: null,
      },
    ];
  if (a === 'channels' && c === 'use')
    return [
      200,
      {
        views: 1840,
        starts: 412,
        completions: 261,
        left: 151,
        days: [],
        left_at: [
          { field: 'phone', count: 88 },
          { field: 'comment', count: 41 },
          { field: 'name', count: 14 },
          { field: '', count: 8 },
        ],
      },
    ];
  if (a === 'forms' && b === 'lead-preview') {
    const mapping = body.settings?.leads?.mapping ?? [];
    const at = (from) =>
      from
        .slice(1)
        .split('/')
        .reduce((value, part) => value?.[part], PUSHED);
    const values = Object.fromEntries(mapping.filter((m) => m.to !== 'submission_id').map((m) => [m.to, at(m.from)]));
    return [
      200,
      {
        is_test: false,
        text: '',
        name: values.name ?? null,
        identities: values.phone ? ['+46812345678'] : [],
        values,
        extra: { 'order.total': '49.00', 'order.currency': 'EUR' },
        attribution: { utm_source: 'newsletter' },
        number: mapping.some((m) => m.to === 'submission_id') ? 'lead:mapped:5017' : null,
      },
    ];
  }
  if (a === 'conversations' && c === 'transcript')
    return method === 'GET' ? [200, { available: true, email: 'ann@client.example' }] : [409, { detail: 'no channel' }];
  return null;
}
