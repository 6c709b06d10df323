/** Mails of the kinds that are shown in a way of their own: quoted, forged, protected, inviting, with pictures. */
const facts = (more) => ({
  quoted_text_at: null,
  quoted_html_at: null,
  protection: null,
  authentication: null,
  calendar: null,
  original: { size: 18_204, complete: true },
  ...more,
});

export function mails(db, say, them, at) {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="180" height="60"><rect width="180" height="60" rx="8" fill="#2B50CC"/></svg>';
  const logo = {
    id: `att_logo${at}`,
    name: 'logo.svg',
    content_type: 'image/svg+xml',
    size: svg.length,
    content_id: 'logo@shop',
  };
  logo.url = `/api/v1/attachments/${logo.id}`;
  db.attachments.set(logo.id, { ...logo, data: Buffer.from(svg) });

  const text =
    'Yes, the blue one please. 🫖\n\nOn Mon, 16 Nov 2026 at 10:00, Shop <support@shop.example> wrote:\n> Red or blue?\n> Anna';
  say('inbound', them, text, at + 4, {
    mail: facts({
      quoted_text_at: [...'Yes, the blue one please. 🫖\n\n'].length,
      authentication: { verdict: 'pass', spf: 'pass', dkim: 'pass', dmarc: 'pass' },
    }),
  });
  const fresh = `<p>Hello 🫖, this is our offer:</p><p><img src="${logo.url}" alt="Logo"></p><p><img src="https://images.example/kettle.jpg" width="300" height="120" alt="A kettle"><img src="https://images.example/p.gif" width="1" height="1"></p><p>See <a href="https://evil.example/login">www.mybank.example</a> or <a href="https://shop.example">our shop</a>.</p>`;
  const quoted = '<div>On Mon, Anna wrote:</div><blockquote>What do you offer?</blockquote>';
  say('inbound', them, 'Hello, this is our offer.', at + 4, {
    html: fresh + quoted,
    attachments: [logo],
    mail: facts({
      quoted_html_at: [...fresh].length,
      authentication: { verdict: 'fail', spf: 'softfail', dkim: null, dmarc: 'fail' },
    }),
  });
  say('inbound', them, 'Let us meet.', at + 3, {
    mail: facts({
      protection: { kind: 'signed', by: 'smime' },
      calendar: {
        method: 'request',
        summary: 'Tasting of the new teas',
        starts: '2026-11-25T09:00:00',
        ends: '2026-11-25T10:30:00',
        time_zone: 'Europe/Berlin',
        location: 'Main street 1, room 5',
        organizer: 'Emily <emily@client.example>',
        repeats: true,
        answer: null,
      },
    }),
  });
  say('inbound', them, '', at + 3, {
    attachments: [
      {
        ...logo,
        id: `att_enc${at}`,
        name: 'encrypted.asc',
        content_type: 'application/octet-stream',
        content_id: null,
      },
    ],
    mail: facts({ protection: { kind: 'encrypted', by: 'pgp' }, original: { size: 2_400_000, complete: true } }),
  });
}
