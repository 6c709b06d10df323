/**
 * A stand-in for the visitor's endpoints, enough to work on the widget without the server.
 * `node e2e/mock-visitor.mjs [port]`; answers every message after a moment.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { WebSocketServer } from 'ws';

const dist = resolve(import.meta.dirname, '../dist/widget');

export async function startMock({ settings = {}, port = 0, lineOpen = true } = {}) {
  const visitors = new Map();
  const state = { settings, lineOpen, sessions: [], failSends: 0, sockets: true, visitors };
  const json = (response, status, body) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  const push = (visitor, message) => {
    const full = {
      id: 'msg_' + crypto.randomUUID(),
      seq: ++visitor.seq,
      attachments: [],
      created_at: new Date().toISOString(),
      ...message,
    };
    visitor.messages.push(full);
    for (const socket of visitor.sockets) socket.send(JSON.stringify({ type: 'message', message: full }));
    return full;
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*, authorization, content-type');
    response.setHeader('Access-Control-Allow-Methods', '*');
    if (request.method === 'OPTIONS') return response.writeHead(204).end();
    if (/^\/widget\/[\w-]+\.js$/.test(url.pathname))
      return response
        .writeHead(200, { 'Content-Type': 'text/javascript' })
        .end(readFileSync(dist + url.pathname.slice(7)));
    const [, action, id] = /^\/widget\/v1\/[^/]+\/(\w+)(?:\/(.+))?$/.exec(url.pathname) ?? [];
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    if (action === 'attachments' && id) {
      const file = state.files?.get(id);
      return file ? response.writeHead(200, { 'Content-Type': file.type }).end(file.data) : json(response, 404, {});
    }
    if (action === 'sessions') {
      const body = JSON.parse(raw);
      state.sessions.push(body);
      let token = body.visitor_token;
      if (!token || !visitors.has(token))
        visitors.set((token = crypto.randomUUID()), { seq: 0, messages: [], sockets: new Set() });
      const visitor = visitors.get(token);
      return json(response, 200, {
        visitor_token: token,
        conversation_id: visitor.seq ? 'cnv_' + token : null,
        line_open: state.lineOpen,
        opens_at: state.opensAt ?? null,
        settings: state.settings,
      });
    }
    const visitor = visitors.get((request.headers.authorization ?? '').slice(7));
    if (!visitor) return json(response, 401, { detail: 'unknown token' });
    if (action === 'messages' && request.method === 'POST') {
      const body = JSON.parse(raw);
      if (state.failSends-- > 0) return json(response, 503, {});
      if (body.text === 'bad') return json(response, 422, { detail: 'This is not accepted here.' });
      const known = visitor.messages.find((m) => m.client_id === body.client_id);
      if (known) return json(response, 200, { id: known.id, seq: known.seq });
      const files = (body.attachments ?? []).map((one) => state.files?.get(one)?.view).filter(Boolean);
      const made = push(visitor, {
        kind: 'inbound',
        author: { type: 'contact' },
        text: body.text,
        client_id: body.client_id,
        attachments: files,
      });
      json(response, 201, { id: made.id, seq: made.seq });
      for (const socket of visitor.sockets)
        socket.send(JSON.stringify({ type: 'receipt', delivered_seq: made.seq, read_seq: made.seq - 1 }));
      setTimeout(
        () =>
          visitor.sockets.forEach((socket) =>
            socket.send(JSON.stringify({ type: 'typing', author: { name: 'Anna' } })),
          ),
        300,
      );
      setTimeout(() => {
        visitor.sockets.forEach((socket) =>
          socket.send(JSON.stringify({ type: 'receipt', delivered_seq: made.seq, read_seq: made.seq })),
        );
        push(visitor, {
          kind: 'reply',
          author: { type: 'operator', name: 'Anna' },
          text: `You wrote “${body.text}”. See https://example.com/help, please.`,
        });
      }, state.answerAfter ?? 800);
      return;
    }
    if (action === 'messages')
      return json(response, 200, {
        items: visitor.messages.filter((m) => m.seq > Number(url.searchParams.get('after'))),
        next_cursor: null,
      });
    if (action === 'attachments') {
      const head = raw.toString('latin1', 0, 600);
      const name = Buffer.from(/filename="([^"]*)"/.exec(head)?.[1] ?? 'file', 'latin1').toString();
      const type = /Content-Type: ([^\r]*)/i.exec(head)?.[1] ?? 'application/octet-stream';
      const start = raw.indexOf('\r\n\r\n') + 4;
      const data = raw.subarray(start, raw.lastIndexOf('\r\n--'));
      const made = crypto.randomUUID();
      const view = { id: made, name, content_type: type, size: data.length, url: `/widget/v1/k/attachments/${made}` };
      (state.files ??= new Map()).set(made, { data, type, view });
      return json(response, 201, view);
    }
    response.writeHead(204).end();
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url, 'http://mock');
    const visitor = visitors.get(url.searchParams.get('token'));
    if (!state.sockets || !visitor) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.send(JSON.stringify({ type: 'hello', seq: visitor.seq }));
      for (const message of visitor.messages)
        if (message.seq > Number(url.searchParams.get('after'))) ws.send(JSON.stringify({ type: 'message', message }));
      visitor.sockets.add(ws);
      ws.on('message', (data) => JSON.parse(data).type === 'ping' && ws.send('{"type":"pong"}'));
      ws.on('close', () => visitor.sockets.delete(ws));
    });
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    ...state,
    state,
    push,
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => (server.closeAllConnections(), server.close()),
  };
}

if (process.argv[1] === import.meta.filename)
  console.log((await startMock({ port: Number(process.argv[2] ?? 8099) })).origin);
