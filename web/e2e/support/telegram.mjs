/**
 * As much of Telegram's Bot API as one bot with one chat needs, answering with the shapes of its public documentation.
 * The connector itself is held to a stricter server, and to foreign ones, in connectors/telegram/tests.
 */
import { createServer } from 'node:http';

export const TOKEN = '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
const ann = { id: 42, is_bot: false, first_name: 'Ann', last_name: 'Lee', language_code: 'en' };
const bot = { id: 110201543, is_bot: true, first_name: 'Shop', username: 'shop_bot' };
const chat = { id: 42, type: 'private', first_name: 'Ann', last_name: 'Lee' };

/** Answers its address, `write` for what Ann does, and `sent`: the calls of the bot that say something, with their files. */
export async function startTelegram() {
  const updates = [];
  const files = new Map();
  const sent = [];
  const waiting = new Set();
  let number = 0;

  const tell = () => {
    for (const wake of waiting) wake();
    waiting.clear();
  };
  async function getUpdates({ offset = 0, timeout = 0 }) {
    while (updates.length && updates[0].update_id < offset) updates.shift();
    if (!updates.length) {
      await new Promise((wake) => {
        waiting.add(wake);
        setTimeout(wake, Math.min(timeout, 20) * 1000).unref();
      });
    }
    return updates;
  }
  const call = async (method, fields) => {
    // Telegram does not look at capitals here, and clients differ.
    switch (method.toLowerCase()) {
      case 'getme':
        return bot;
      case 'getupdates':
        return getUpdates(fields);
      case 'getwebhookinfo':
        return { url: '', has_custom_certificate: false, pending_update_count: 0 };
      case 'getfile':
        return { file_id: fields.file_id, file_unique_id: fields.file_id, file_path: `files/${fields.file_id}` };
      default:
        if (!/^send/i.test(method) || /^sendchataction$/i.test(method)) return true;
        sent.push({ method: method[0].toLowerCase() + method.slice(1), ...fields });
        return { message_id: ++number, date: Math.floor(Date.now() / 1000), chat, from: bot, text: fields.text };
    }
  };

  const server = createServer(async (request, response) => {
    const [, kind, last] = /^\/+(file\/)?.*?([^/?]*)(?:\?.*)?$/.exec(decodeURIComponent(request.url));
    if (kind) return response.end(files.get(last));
    const method = last;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const result = await call(method, await read(request.headers['content-type'] ?? '', Buffer.concat(chunks)));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ok: true, result }));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    sent,
    /** A file Telegram holds; answers its id. */
    file(bytes) {
      const id = `file${files.size + 1}`;
      files.set(id, bytes);
      return id;
    },
    /** One update for each message of Ann's, all at once. */
    write(...messages) {
      for (const fields of messages) {
        const message = { message_id: ++number, date: Math.floor(Date.now() / 1000), chat, from: ann, ...fields };
        updates.push({ update_id: 1000 + number, message });
      }
      tell();
    },
    async stop() {
      tell();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Fields of a call, whichever way they came; a file becomes its name, type and text. */
async function read(kind, body) {
  if (kind.includes('json')) return body.length ? JSON.parse(body) : {};
  if (!kind.startsWith('multipart/')) return Object.fromEntries(new URLSearchParams(body.toString()));
  const form = await new Response(body, { headers: { 'content-type': kind } }).formData();
  const fields = {};
  for (const [name, value] of form)
    fields[name] = typeof value === 'string' ? value : { name: value.name, type: value.type, text: await value.text() };
  return fields;
}
