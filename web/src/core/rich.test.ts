// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { fromHtml, nextItem, rich, toggleAround, toggleLines, type Change } from './rich';

const done = (text: string, c: Change) => text.slice(0, c.from) + c.text + text.slice(c.to);

describe('rich text', () => {
  it('plain words stay plain', () => {
    expect(rich('Hello\n\nIt is 2 * 3 * 4, snake_case_name and a**b.')).toEqual({
      text: 'Hello\n\nIt is 2 * 3 * 4, snake_case_name and a**b.',
      html: null,
    });
    expect(rich('See https://shop.example/a_b_c').html).toBeNull();
  });

  it('signs become formatting, and leave the plain text', () => {
    expect(rich('It is **really _nice_**, see [our page](https://shop.example/?a=1&b=2).')).toEqual({
      text: 'It is really nice, see our page (https://shop.example/?a=1&b=2).',
      html: '<p>It is <strong>really <em>nice</em></strong>, see <a href="https://shop.example/?a=1&amp;b=2">our page</a>.</p>',
    });
  });

  it('lists and quotes are blocks', () => {
    expect(rich('Two things:\n- one\n- **two**\n\n> you said\n1. first\n2. second').html).toBe(
      '<p>Two things:</p><ul><li>one</li><li><strong>two</strong></li></ul><blockquote><p>you said</p></blockquote><ol><li>first</li><li>second</li></ol>',
    );
  });

  it('markup that somebody types is words, and a link that acts is none', () => {
    const { html } = rich('**<img src=x onerror=alert(1)>** [x](javascript:alert(1))');
    expect(html).toBe('<p><strong>&lt;img src=x onerror=alert(1)&gt;</strong> [x](javascript:alert(1))</p>');
  });
});

describe('writing', () => {
  it('a sign goes around the words and away again', () => {
    const text = 'say it now';
    const on = toggleAround(text, 4, 6, '**');
    expect(done(text, on)).toBe('say **it** now');
    const off = toggleAround('say **it** now', on.start, on.end, '**');
    expect(done('say **it** now', off)).toBe(text);
    expect(done('a b ', toggleAround('a b ', 2, 4, '_'))).toBe('a _b_ ');
  });

  it('lines become a list and words again', () => {
    expect(done('x\na\nb', toggleLines('x\na\nb', 2, 5, '- '))).toBe('x\n- a\n- b');
    expect(done('1. a\n2. b', toggleLines('1. a\n2. b', 0, 9, '1. '))).toBe('a\nb');
    expect(done('- a', toggleLines('- a', 1, 1, '> '))).toBe('> a');
  });

  it('enter makes the next item, and an empty item ends the list', () => {
    expect(done('- a', nextItem('- a', 3)!)).toBe('- a\n- ');
    expect(done('9. a', nextItem('9. a', 4)!)).toBe('9. a\n10. ');
    expect(done('- a\n- ', nextItem('- a\n- ', 6)!)).toBe('- a\n');
    expect(nextItem('abc', 3)).toBeNull();
  });

  it('pasted rich text keeps its meaning and loses its clothes', () => {
    expect(
      fromHtml(
        '<meta><b style="font-weight:normal"><p style="color:red">Dear <b>Ann</b>,</p><ul><li>one</li><li><i>two</i></li></ul><p><a href="https://x.example">here</a> <script>x()</script><a href="javascript:x">no</a></p></b>',
      ),
    ).toBe('Dear **Ann**,\n\n- one\n- _two_\n\n[here](https://x.example) no');
  });
});
