/** The REST API as another program uses it. */

/**
 * A small client for an API key, or for the headers of somebody who signed in; every answer outside 2xx throws with
 * its whole problem.
 */
export function client(url, credentials) {
  const who = typeof credentials === 'string' ? { Authorization: `Bearer ${credentials}` } : credentials;
  const call = async (method, path, body) => {
    const response = await fetch(url + '/api/v1' + path, {
      method,
      headers: {
        ...who,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
  const get = (path) => call('GET', path);
  return {
    get,
    post: (path, body = {}) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    put: (path, body) => call('PUT', path, body),
    /** All messages of a conversation, oldest first. */
    async messages(id) {
      const all = [];
      for (;;) {
        const page = await get(`/conversations/${id}/messages?limit=200&after_seq=${all.at(-1)?.seq ?? 0}`);
        all.push(...page.items);
        if (!page.next_cursor || page.items.length === 0) return all;
      }
    },
  };
}

/** Signs in like the web app and answers a client that acts as this person. */
export async function signIn(url, { email, password }) {
  const response = await fetch(url + '/api/v1/auth/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`);
  const cookie = response.headers.getSetCookie().map((one) => one.split(';')[0]);
  return client(url, { Cookie: cookie.join('; '), 'X-CSRF-Token': (await response.json()).csrf_token });
}

/** A line with these people in its queue, and a chat on it that this site may show. */
export async function makeChat(api, { operators, key = 'shop', origins = ['*'], settings = {} }) {
  const line = await api.post('/lines', {
    name: 'Support',
    queue: operators.map((operator_id) => ({ operator_id })),
  });
  const chat = await api.post('/channels', {
    kind: 'webchat',
    key,
    line_id: line.id,
    name: 'Shop chat',
    settings: { allowed_origins: origins, title: 'Lamp shop', ...settings },
  });
  return { line, chat };
}
