import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../api/types';
import { initialValue, isShown, mainType, nullable, ordered, resolve, withoutEmptySecrets } from './schema';

const root: JsonSchema = {
  type: 'object',
  properties: {
    host: { type: 'string' },
    password: { type: ['string', 'null'], 'x-secret': true },
    imap: { $ref: '#/$defs/Server', title: 'IMAP' },
    consent: { anyOf: [{ $ref: '#/$defs/Consent' }, { type: 'null' }] },
    tls: { oneOf: [{ const: 'implicit' }, { const: 'none' }] },
    days: { type: 'integer', default: 3 },
  },
  $defs: {
    Server: {
      type: 'object',
      title: 'Server',
      properties: { port: { type: 'integer' }, password: { type: 'string', 'x-secret': true } },
    },
    Consent: { type: 'object', properties: { text: { type: 'string' } } },
  },
};
const prop = (name: string) => root.properties?.[name] ?? {};

describe('settings schema', () => {
  it('follows references; what stands beside them wins', () => {
    expect(resolve(prop('imap'), root).title).toBe('IMAP');
    expect(Object.keys(resolve(prop('imap'), root).properties ?? {})).toEqual(['port', 'password']);
  });

  it('takes the real branch of "this or null"', () => {
    expect(mainType(resolve(prop('consent'), root))).toBe('object');
    expect(nullable(prop('consent'))).toBe(true);
    expect(mainType(prop('password'))).toBe('string');
  });

  it('reads a choice of constants as an enumeration', () => {
    expect(resolve(prop('tls'), root).enum).toEqual(['implicit', 'none']);
  });

  it('begins with the example and the defaults, and with empty secrets', () => {
    expect(initialValue(root, root, { host: 'h', imap: { port: 993, password: 'example' }, consent: null })).toEqual({
      host: 'h',
      password: null,
      imap: { port: 993, password: null },
      consent: null,
      days: 3,
    });
  });

  it('leaves secrets out that were not typed, so that the stored ones stay', () => {
    expect(withoutEmptySecrets(root, root, { host: 'h', password: null, imap: { port: 1, password: '' } })).toEqual({
      host: 'h',
      imap: { port: 1 },
    });
    expect(withoutEmptySecrets(root, root, { password: 'new' })).toEqual({ password: 'new' });
  });

  it('puts the server before its password and switches last', () => {
    const unordered: JsonSchema = {
      properties: { accept: { type: 'boolean' }, password: {}, days: { type: 'integer' }, host: {} },
    };
    expect(ordered(unordered, unordered).map(([k]) => k)).toEqual(['host', 'password', 'days', 'accept']);
  });

  it('survives a schema that refers to itself', () => {
    const loop: JsonSchema = { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } };
    expect(resolve(loop, loop)).toEqual({});
  });

  it('shows a field only while its neighbours ask for it, and what is not for people never', () => {
    const auth: JsonSchema = {
      properties: {
        method: { enum: ['password', 'oauth2'], default: 'password' },
        provider: { enum: ['google', 'custom'], default: 'google', 'x-when': ['method', 'oauth2'] },
        token_url: { type: 'string', 'x-when': ['provider', 'custom'] },
        refresh_token: { type: 'string', readOnly: true },
      },
    };
    const shown = (value: Record<string, unknown>) =>
      Object.keys(auth.properties ?? {}).filter((key) => isShown(key, auth, auth, value));
    expect(shown({})).toEqual(['method']);
    expect(shown({ method: 'oauth2' })).toEqual(['method', 'provider']);
    expect(shown({ method: 'oauth2', provider: 'custom' })).toEqual(['method', 'provider', 'token_url']);
    expect(shown({ method: 'password', provider: 'custom' })).toEqual(['method']);
  });
});
