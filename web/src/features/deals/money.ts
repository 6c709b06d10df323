import { locale } from '../../i18n/i18n.svelte';

/** Decimal texts go to the formatter as they are: it reads them exactly, a number would not hold them all. */
const exact = (amount: string) => amount as unknown as number;

/** An amount in the writing of the language; nothing for one that is not known. */
export function money(amount: string | null | undefined, currency: string): string {
  if (amount === null || amount === undefined) return '';
  const whole = !amount.includes('.') || /\.0+$/.test(amount);
  try {
    return new Intl.NumberFormat(locale(), {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      ...(whole ? { minimumFractionDigits: 0, maximumFractionDigits: 0 } : {}),
    }).format(exact(amount));
  } catch {
    return `${amount} ${currency}`;
  }
}

/** What somebody typed as the server reads it: blanks go, a comma is the point. */
export function typed(text: string): string | null {
  const plain = text.replace(/[\s\u00a0\u202f']/g, '').replace(',', '.');
  return plain === '' ? null : plain;
}
