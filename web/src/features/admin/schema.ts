import type { JsonSchema } from '../../api/types';

/** Follows `$ref`, and takes the real branch of "this or null". */
export function resolve(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  if (depth > 12) return {};
  if (schema.$ref) {
    const match = /^#\/(\$defs|definitions)\/(.+)$/.exec(schema.$ref);
    const target = match ? (root[match[1] as '$defs' | 'definitions'] ?? {})[match[2] ?? ''] : undefined;
    const { $ref: _ref, ...own } = schema;
    return resolve({ ...target, ...own }, root, depth + 1);
  }
  if (schema.allOf?.length === 1 && schema.allOf[0]) {
    const { allOf: _all, ...own } = schema;
    return resolve({ ...resolve(schema.allOf[0], root, depth + 1), ...own }, root, depth + 1);
  }
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) {
    const real = branches.filter((b) => b.type !== 'null');
    const { anyOf: _any, oneOf: _one, ...own } = schema;
    // A choice between constants is an enumeration with titles.
    const consts = real.map((b) => b.const ?? (b.enum?.length === 1 ? b.enum[0] : undefined));
    if (real.length > 1 && consts.every((c) => c !== undefined)) return { type: 'string', ...own, enum: consts };
    if (real.length >= 1 && real[0]) return { ...resolve(real[0], root, depth + 1), ...stripUndefined(own) };
  }
  return schema;
}

function stripUndefined(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, v]) => v !== undefined)) as JsonSchema;
}

export function nullable(schema: JsonSchema): boolean {
  if (Array.isArray(schema.type)) return schema.type.includes('null');
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].some((b) => b.type === 'null');
}

export function mainType(schema: JsonSchema): string {
  if (Array.isArray(schema.type)) return schema.type.find((x) => x !== 'null') ?? 'string';
  if (schema.type) return schema.type;
  if (schema.properties) return 'object';
  if (schema.items) return 'array';
  return schema.enum ? 'string' : 'any';
}

export function isSecret(schema: JsonSchema): boolean {
  return schema['x-secret'] === true;
}

/** Whether a field is for people, as things stand: it may depend on its neighbours, and they on theirs. */
export function isShown(
  key: string,
  schema: JsonSchema,
  root: JsonSchema,
  value: Record<string, unknown>,
  depth = 0,
): boolean {
  const raw = schema.properties?.[key];
  if (!raw || depth > 8) return false;
  const s = { ...resolve(raw, root), ...raw };
  if (s.readOnly) return false;
  if (!s['x-when']) return true;
  const [neighbour, wanted] = s['x-when'];
  const other = schema.properties?.[neighbour];
  const now = value?.[neighbour] ?? (other && (other.default ?? resolve(other, root).default));
  return now === wanted && isShown(neighbour, schema, root, value, depth + 1);
}

/** What a new form begins with: the connector's example, then defaults, then nothing. Secrets begin empty. */
export function initialValue(schema: JsonSchema, root: JsonSchema, example?: unknown): unknown {
  const s = resolve(schema, root);
  if (isSecret(s)) return null;
  if (mainType(s) === 'object' && s.properties) {
    if (example === null && nullable(schema)) return null;
    const from = (example ?? {}) as Record<string, unknown>;
    const value: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(s.properties)) {
      const v = initialValue(child, root, from[key]);
      if (v !== undefined) value[key] = v;
    }
    return value;
  }
  return example !== undefined ? example : s.default;
}

/** Empty secrets are left out: the server then keeps what it has. */
export function withoutEmptySecrets(schema: JsonSchema, root: JsonSchema, value: unknown): unknown {
  const s = resolve(schema, root);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !s.properties) return value;
  const out: Record<string, unknown> = {};
  for (const [key, v] of Object.entries(value as Record<string, unknown>)) {
    const child = s.properties[key];
    if (child && isSecret(resolve(child, root)) && (v === null || v === '' || v === undefined)) continue;
    out[key] = child ? withoutEmptySecrets(child, root, v) : v;
  }
  return out;
}

/** `accept_invalid_certs` -> `Accept invalid certs`, for fields without a title. */
export function humanise(key: string): string {
  const words = key.replace(/_/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A JSON object has no order; people expect an address before its options. Unknown names come after, as they stand. */
const NATURAL = [
  'address',
  'title',
  'from_name',
  'token',
  'host',
  'port',
  'tls',
  'username',
  'password',
  'mailbox',
  'mailboxes',
  'auth',
  'method',
  'provider',
  'client_id',
  'client_secret',
  'tenant',
  'authorize_url',
  'token_url',
  'scopes',
  'callback_url',
  'secret',
  'imap',
  'smtp',
  'message',
  'redirect_url',
  'submit_label',
  'success',
  'consent',
  'required',
  'text',
  'url',
  'accent_color',
  'color',
  'locale',
  'allowed_origins',
];

/** The properties in the order in which a person fills them: natural names first, switches last. */
export function ordered(schema: JsonSchema, root: JsonSchema): [string, JsonSchema][] {
  const rank = ([key, child]: [string, JsonSchema]): number => {
    const known = NATURAL.indexOf(key);
    if (known >= 0) return known;
    return NATURAL.length + (mainType(resolve(child, root)) === 'boolean' ? 2 : schema.required?.includes(key) ? 0 : 1);
  };
  return Object.entries(schema.properties ?? {}).sort((a, b) => rank(a) - rank(b));
}

/** The part of a telephone channel's secrets that its provider has. */
export function secretsOf(secrets: JsonSchema, provider: string): JsonSchema {
  const kept = Object.entries(secrets.properties ?? {}).filter(
    ([, child]) => !child['x-providers'] || child['x-providers'].includes(provider),
  );
  return { ...secrets, properties: Object.fromEntries(kept) };
}
