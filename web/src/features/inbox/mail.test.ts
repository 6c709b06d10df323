// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { prepareMail, safeStyle } from './mail';

describe('mail in the reading frame', () => {
  it('loses whatever can act or call out', () => {
    const { html, blocked } = prepareMail(
      '<p onclick="x()">Hi</p><script>alert(1)</script><style>p{background:url(//t)}</style><img src="https://t.example/p.gif"><object data="//x"></object><form><input></form><a href="javascript:alert(1)">l</a><meta http-equiv="refresh" content="0">',
    );
    expect(html).not.toMatch(/script|onclick|t\.example|object|<form|<input|javascript:|<meta|<style/);
    expect(blocked).toBe(1);
    expect(html).toContain('Hi');
  });

  it('keeps pictures of the message itself, and harmless looks', () => {
    const { html, blocked } = prepareMail(
      '<img src="/api/v1/attachments/att_1"><b style="color: red; position: fixed">x</b>',
    );
    expect(html).toContain('/api/v1/attachments/att_1');
    expect(html).toContain('data-style="color: red"');
    expect(html).not.toMatch(/\sstyle=/);
    expect(blocked).toBe(0);
  });

  it('opens links elsewhere, without telling where they come from', () => {
    expect(prepareMail('<a href="https://a.example">a</a>').html).toMatch(/target="_blank"/);
    expect(prepareMail('<a href="https://a.example">a</a>').html).toMatch(/noopener noreferrer/);
  });

  it('accepts only declarations that dress text and boxes', () => {
    expect(safeStyle('color:red; background: url(http://x); position: absolute; width: 10px; behavior: x')).toBe(
      'color:red; width: 10px',
    );
  });
});
