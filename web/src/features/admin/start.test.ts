import { describe, expect, it } from 'vitest';
import { botName, payload, shortKey } from './start';

describe('deep links of a bot', () => {
  it('say what fits into a payload', () => {
    expect(payload({ source: 'yandex', campaign: 'autumn-26', line: 'sales' })).toBe('yandex__autumn-26__sales');
    expect(payload({ source: ' vk ', campaign: '', line: '' })).toBe('vk__');
  });
  it('have no payload for what Telegram does not take', () => {
    for (const source of ['яндекс', 'a b', 'a__b', '_a', 'a_', 'x'.repeat(63)])
      expect(payload({ source, campaign: '', line: '' })).toBeNull();
  });
  it('get a short word once', () => {
    const origin = { source: 'яндекс', campaign: '', line: '' };
    const words = ['k1', 'k2'];
    expect(shortKey(origin, { k1: { source: 'other' } }, () => words.shift() ?? 'k3')).toBe('k2');
    expect(shortKey(origin, { k9: { source: 'яндекс' } }, () => 'new')).toBe('k9');
  });
  it('need the name that the check found', () => {
    expect(botName([{ step: 'telegram_bot', ok: true, detail: 'The bot is @shop_bot (Shop).' }])).toBe('shop_bot');
    expect(botName([{ step: 'telegram_bot', ok: false, detail: '@no' }])).toBeNull();
    expect(botName(undefined)).toBeNull();
  });
});
