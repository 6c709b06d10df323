import { describe, expect, it } from 'vitest';
import cases from './template.cases.json';
import { changedTexts, render, unknown } from './template';

describe('texts with variables', () => {
  it.each(cases)('$template', ({ template, values, text }) => {
    expect(render(template, values as Record<string, string>)).toBe(text);
  });

  it('takes a language away with a null', () => {
    expect(changedTexts({ de: 1, ru: 2 }, { de: 3, es: 4 })).toEqual({ de: 3, es: 4, ru: null });
  });

  it('names what there is not', () => {
    expect(unknown('Hello {{contact.name|there}}, {{ opens_at }}')).toBeNull();
    expect(unknown('Hello {{contact.nam}}')).toBe('{{contact.nam}}');
    expect(unknown('Hello {{contact.name')).toBe('{{');
    expect(unknown('Hello contact.name}}')).toBe('}}');
  });
});
