import { describe, expect, it } from 'vitest';
import { Drafts } from './drafts';
import { uuidv7 } from './id';
import { Keymap, type KeyLike } from './keys';
import { badgeTitle } from './notify';
import { fold, initials, linkify, marked } from './text';
import { frozenOrder, scrollToShow, visibleSlice } from './window';

const key = (code: string, extra: Partial<KeyLike> = {}): KeyLike => ({
  code,
  altKey: false,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  ...extra,
});

describe('window', () => {
  it('draws what is visible and a little around it', () => {
    expect(visibleSlice(800, 400, 80, 1000, 2)).toEqual({ start: 8, end: 17, total: 80_000 });
    expect(visibleSlice(0, 400, 80, 3)).toEqual({ start: 0, end: 3, total: 240 });
    expect(visibleSlice(99_999, 400, 80, 3).end).toBe(3);
  });

  it('scrolls only as far as a row needs', () => {
    expect(scrollToShow(5, 0, 1000, 80)).toBe(0);
    expect(scrollToShow(0, 300, 400, 80)).toBe(0);
    expect(scrollToShow(10, 0, 400, 80)).toBe(480);
  });

  it('rows keep their places while frozen; what is new or moved up is counted, older ones are appended', () => {
    expect(frozenOrder(['a', 'b', 'c'], ['new', 'c', 'a', 'b', 'older'])).toEqual({
      order: ['a', 'b', 'c', 'older'],
      fresh: 2,
    });
    expect(frozenOrder(['a', 'b'], ['a', 'between', 'b'])).toEqual({ order: ['a', 'b'], fresh: 1 });
    expect(frozenOrder(['a', 'gone'], ['a'])).toEqual({ order: ['a', 'gone'], fresh: 0 });
  });
});

describe('keys', () => {
  it('go by the place of the key, so that Cyrillic layouts work', () => {
    expect(new Keymap().match({ ...key('KeyJ'), key: 'о' } as KeyLike, false, 0)).toBe('next');
  });

  it('single keys are off while typing, Ctrl+K is not', () => {
    const map = new Keymap();
    expect(map.match(key('KeyJ'), true, 0)).toBeNull();
    expect(map.match(key('KeyK', { ctrlKey: true }), true, 0)).toBe('palette');
    expect(map.match(key('KeyK', { metaKey: true }), true, 0)).toBe('palette');
  });

  it('can be switched off', () => {
    const map = new Keymap(false);
    expect(map.match(key('KeyE'), false, 0)).toBeNull();
    expect(map.match(key('KeyK', { ctrlKey: true }), false, 0)).toBe('palette');
  });

  it('two keys one after another go somewhere, if not too slowly', () => {
    const map = new Keymap();
    expect(map.match(key('KeyG'), false, 0)).toBeNull();
    expect(map.match(key('KeyQ'), false, 500)).toBe('go-queue');
    map.match(key('KeyG'), false, 1_000);
    expect(map.match(key('KeyI'), false, 9_000)).toBe('take');
  });

  it('shift tells help from search; a composing input method is left alone', () => {
    const map = new Keymap();
    expect(map.match(key('Slash', { shiftKey: true }), false, 0)).toBe('help');
    expect(map.match(key('Slash'), false, 0)).toBe('search');
    expect(map.match(key('KeyJ', { isComposing: true }), false, 0)).toBeNull();
  });
});

describe('text', () => {
  it('folds case, diacritics and letters with two codes', () => {
    expect(fold('Lefèvre')).toBe('lefevre');
    expect(fold('علي')).toBe(fold('علی'));
    expect(fold('oʻzbek')).toBe(fold("O'zbek"));
    expect(fold('Артём')).toBe('артем');
  });

  it('takes whole letters for initials in every script', () => {
    expect(initials('Zarina Yusupova')).toBe('ZY');
    expect(initials('પ્રિયા')).toBe('પ્રિ');
    expect(initials('')).toBe('?');
    expect(initials('+998 90')).toBe('99');
  });

  it('makes links of web and mail addresses only, and leaves the sentence its punctuation', () => {
    expect(linkify('See https://a.example/x(1). Or a@b.example!')).toEqual([
      { text: 'See ' },
      { text: 'https://a.example/x(1)', href: 'https://a.example/x(1)' },
      { text: '. Or ' },
      { text: 'a@b.example', href: 'mailto:a@b.example' },
      { text: '!' },
    ]);
    expect(linkify('javascript:alert(1)')).toEqual([{ text: 'javascript:alert(1)' }]);
  });

  it('cuts a snippet at its marks and never yields markup', () => {
    expect(marked('a &lt;b&gt; <mark>hit &amp; run</mark> z')).toEqual([
      { text: 'a <b> ', hit: false },
      { text: 'hit & run', hit: true },
      { text: ' z', hit: false },
    ]);
  });
});

describe('small things', () => {
  it('client ids are UUIDs of version 7 and sort by time', () => {
    const a = uuidv7(1_000_000);
    expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(a < uuidv7(1_000_001)).toBe(true);
  });

  it('drafts are kept by user, conversation and kind, and say when there is no room', () => {
    const map = new Map<string, string>();
    const storage = {
      getItem: (k: string) => map.get(k) ?? null,
      setItem: (k: string, v: string) => void map.set(k, v),
      removeItem: (k: string) => void map.delete(k),
    };
    const drafts = new Drafts(storage, () => 'u');
    drafts.save('c', 'reply', { text: 'hello', attachments: [] });
    expect(drafts.load('c', 'reply').text).toBe('hello');
    expect(drafts.load('c', 'note').text).toBe('');
    drafts.save('c', 'reply', { text: '', attachments: [] });
    expect(map.size).toBe(0);
    const full = new Drafts(
      {
        ...storage,
        setItem: () => {
          throw new Error('full');
        },
      },
      () => 'u',
    );
    expect(full.save('c', 'reply', { text: 'x', attachments: [] })).toBe(false);
  });

  it('the title carries the number of unread messages', () => {
    expect(badgeTitle('Mine', 3)).toBe('(3) Mine · Switchboard');
    expect(badgeTitle('', 0)).toBe('Switchboard');
    expect(badgeTitle('Mine', 1000)).toBe('(99+) Mine · Switchboard');
  });
});
