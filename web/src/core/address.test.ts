import { expect, it } from 'vitest';
import { isAddress, parseAddresses } from './address';

it('addresses are read as people write them', () => {
  expect(parseAddresses('"Berg, Anna" <Anna@X.example>; bob@x.example,\n Olga <o@y.example>')).toEqual([
    { name: 'Berg, Anna', address: 'anna@x.example' },
    { address: 'bob@x.example' },
    { name: 'Olga', address: 'o@y.example' },
  ]);
  expect(parseAddresses(' , ')).toEqual([]);
});

it('what is no address is seen', () => {
  expect(['a@b.example', 'a+b@b-c.example', 'иван@почта.рф'].every(isAddress)).toBe(true);
  expect(['a', 'a@b', 'a@b..c', 'a b@c.example', '<a@b.example>'].some(isAddress)).toBe(false);
});
