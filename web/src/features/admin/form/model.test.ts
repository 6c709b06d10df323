import { describe, expect, it } from 'vitest';
import type { FormField } from '../../../api/types';
import { formHtml, fresh, mend, move, rename, stepOf, withFieldTexts, type FormSettings } from './model';

const field = (name: string, more: Partial<FormField> = {}): FormField => ({
  name,
  label: name,
  type: 'text',
  required: false,
  options: [],
  maps_to: null,
  ...more,
});

describe('order', () => {
  it('drops a condition whose field does not stand before any more', () => {
    const fields = [field('topic'), field('city', { show_when: { field: 'topic', is: ['x'] } })];
    expect(move(fields, 1, 0).map((f) => [f.name, f.show_when])).toEqual([
      ['city', null],
      ['topic', null],
    ]);
    expect(mend(fields)[1]?.show_when).toEqual({ field: 'topic', is: ['x'] });
  });
  it('gives a moved field the step of its new neighbours', () => {
    const fields = [field('a'), field('b'), field('c', { step: 2 }), field('d', { step: 3 })];
    expect(move(fields, 0, 3).map((f) => [f.name, stepOf(f)])).toEqual([
      ['b', 1],
      ['c', 2],
      ['d', 3],
      ['a', 3],
    ]);
    expect(move(fields, 3, 0).map(stepOf)).toEqual([1, 1, 1, 2]);
  });
});

describe('names', () => {
  it('remembers a name that pages may go on sending, and follows it everywhere', () => {
    const settings: FormSettings = {
      fields: [field('tel'), field('when', { show_when: { field: 'tel', is: [] } })],
      translations: { ru: { fields: { tel: { label: 'Телефон' } } } },
    };
    const next = rename(settings, 0, 'phone', ['tel', 'when']);
    expect(next.fields?.[0]).toMatchObject({ name: 'phone', formerly: ['tel'] });
    expect(next.fields?.[1]?.show_when?.field).toBe('phone');
    expect(next.translations?.ru?.fields).toEqual({ phone: { label: 'Телефон' } });
    expect(rename(next, 0, 'tel', ['tel', 'when']).fields?.[0]?.formerly).toEqual([]);
    expect(rename(settings, 0, 'when', []).fields?.map((f) => f.name)).toEqual(['when2', 'when']);
    expect(rename(settings, 0, 'x', []).fields?.[0]?.formerly).toEqual([]);
  });
  it('makes up one that nobody has', () => {
    expect(fresh('email', [field('email')], 'E-mail').name).toBe('email2');
    expect(fresh('text', [field('x', { formerly: ['field1'] })], 'New').name).toBe('field2');
    expect(fresh('text', [field('x', { step: 2 })], 'New').step).toBe(2);
  });
});

describe('plain HTML', () => {
  it('is harmless whatever is written, and carries language, seal and trap', () => {
    const bad = '"><script>alert(1)</script>';
    const settings: FormSettings = {
      fields: [field('a', { label: bad, placeholder: bad }), field('s', { type: 'select', options: [bad] })],
      consent: { text: bad },
      submit_label: bad,
      locale: 'en',
    };
    const html = formHtml(settings, 'https://desk.example/f/x', '', 'seal"');
    expect(html).not.toContain('<script');
    expect(html).not.toContain('seal""');
    expect(html).toContain('name="sb_lang" value="en"');
    expect(html).toContain('name="sb_hp"');
  });
  it('speaks the chosen language and stores the choices as the form has them', () => {
    const settings = withFieldTexts({ fields: [field('t', { type: 'select', options: ['Prices'] })] }, 'ru', 0, {
      label: 'О чём',
      options: ['Цены'],
    });
    const html = formHtml(settings, '/f/x', 'ru', '');
    expect(html).toContain('О чём');
    expect(html).toContain('<option value="Prices">Цены</option>');
  });
});
