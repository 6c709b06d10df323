// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { latinDigits, latinNumber, readsNumbers, startDigits } from './digits';

describe('digits', () => {
  it('are Latin for machines, whichever were typed', () => {
    expect(latinDigits('+۹۸ ۹۱۲ ۳۴۵ ۶۷۸۹')).toBe('+98 912 345 6789');
    expect(latinDigits('٠١٢٣٤٥٦٧٨٩')).toBe('0123456789');
    expect(latinDigits('۱٬۲۰۰٫۵۰')).toBe('1200.50');
    expect(latinDigits('plain 12')).toBe('plain 12');
  });

  it('in a search stay as written beside words', () => {
    expect(latinNumber('۰۹۱۲ ۳۴۵')).toBe('0912 345');
    expect(latinNumber('سفارش ۱۲')).toBe('سفارش ۱۲');
  });

  it('are exchanged in fields that machines read, and in no others', () => {
    startDigits(document);
    const typed = (html: string, text: string) => {
      document.body.innerHTML = html;
      const field = document.querySelector('input')!;
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      return field.value;
    };
    expect(typed('<input inputmode="decimal">', '۱۲٫۵')).toBe('12.5');
    expect(typed('<input dir="ltr">', 'shop-۲')).toBe('shop-2');
    expect(typed('<input type="tel">', '۹۱۲')).toBe('912');
    expect(typed('<input>', 'پلاک ۱۲')).toBe('پلاک ۱۲');
    expect(readsNumbers(document.querySelector('input')!)).toBe(false);
  });
});
