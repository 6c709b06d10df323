import { describe, expect, it } from 'vitest';
import type { FormField } from '../../../api/types';
import { leaves, mapped, parse, suggested } from './leads';

const field = (name: string, maps_to: string | null, type = 'text') => ({ name, maps_to, type }) as FormField;
const FIELDS = [
  field('who', 'contact.name'),
  field('phone', null, 'phone'),
  field('mail', null, 'email'),
  field('topic', null),
];

describe('a push of another service', () => {
  it('is taken apart with pointers that name odd keys too', () => {
    const all = leaves(parse('{"a":{"b/c":[{"d~e":1},null,""]},"ok":true}'));
    expect(all.map((leaf) => [leaf.pointer, leaf.value])).toEqual([
      ['/a/b~1c/0/d~0e', '1'],
      ['/ok', 'true'],
    ]);
  });

  it('may be names and values, as the server reads them', () => {
    expect(parse('name=Ann&box=1&box=2&fields%5Bphone%5D%5Bvalue%5D=%2B1')).toEqual({
      name: 'Ann',
      box: ['1', '2'],
      'fields.phone.value': '+1',
    });
    expect(parse('{broken')).toBeUndefined();
    expect(parse('<xml/>')).toBeUndefined();
    expect(parse('5')).toBeUndefined();
  });

  it('is mapped by what its names usually mean, each field once', () => {
    const all = leaves({ client: { full_name: 'Ann', email: 'a@b.c', mobile: '+1', name: 'x' }, topic: 'lamps' });
    expect(suggested(all, FIELDS)).toEqual([
      { from: '/client/full_name', to: 'who' },
      { from: '/client/email', to: 'mail' },
      { from: '/client/mobile', to: 'phone' },
      { from: '/topic', to: 'topic' },
    ]);
  });

  it('tells an address and a number by their look, as a last resort', () => {
    const all = leaves({ a: '49.00', b: '+46 8 123 456 78', c: 'ann@client.example' });
    expect(suggested(all, FIELDS)).toEqual([
      { from: '/b', to: 'phone' },
      { from: '/c', to: 'mail' },
    ]);
  });

  it('keeps one mapping a value', () => {
    const first = mapped([], '/a', 'who');
    expect(mapped(first, '/a', 'mail')).toEqual([{ from: '/a', to: 'mail' }]);
    expect(mapped(first, '/a', '')).toEqual([]);
  });
});
