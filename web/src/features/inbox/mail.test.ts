// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { namesAnother, prepareMail, safeStyle } from './mail';

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

  it('loads remote images when asked, and never those nobody is meant to see', () => {
    const mail =
      '<img src="https://a.example/x.png"><img src="https://a.example/p.gif" width="1" height="1"><img src="javascript:x">';
    expect(prepareMail(mail).blocked).toBe(2);
    const { body, blocked } = prepareMail(mail, { images: true });
    expect(body).toContain('https://a.example/x.png');
    expect(body).toContain('no-referrer');
    expect(body).not.toMatch(/p\.gif|javascript/);
    expect(blocked).toBe(0);
  });

  it('says where a link leads whose words name another site', () => {
    const leadsTo = (host: string) => `leads to ${host}`;
    const shown = (html: string) => prepareMail(html, { leadsTo }).body;
    expect(shown('<a href="https://evil.example/x">www.bank.example</a>')).toContain('(leads to evil.example)');
    expect(shown('<a href="https://www.bank.example/x">bank.example</a>')).not.toContain('leads to');
    expect(shown('<a href="https://click.example/x">our shop</a>')).not.toContain('leads to');
    expect(shown('<a href="https://click.example/x">our shop</a>')).toContain('title="https://click.example/x"');
    expect(namesAnother('https://bank.example/login', 'bank.example.evil.example')).toBe(true);
    expect(namesAnother('mail.bank.example', 'bank.example')).toBe(false);
    expect(namesAnother('offer.pdf', 'files.example')).toBe(false);
    expect(namesAnother('ann@bank.example', 'click.example')).toBe(false);
  });

  it('accepts only declarations that dress text and boxes', () => {
    expect(safeStyle('color:red; background: url(http://x); position: absolute; width: 10px; behavior: x')).toBe(
      'color:red; width: 10px',
    );
  });
});
