import { preferredLocale, setLocale } from '../i18n/i18n.svelte';

export type Theme = 'auto' | 'light' | 'dark';

interface Prefs {
  theme: Theme;
  locale: string | null;
  sound: boolean;
  desktop: boolean;
  /** Enter sends; otherwise only Ctrl+Enter does. */
  enterSends: boolean;
  singleKeys: boolean;
  compact: boolean;
  card: boolean;
  nav: boolean;
  /** Minutes without a key or a mouse until `away`; null: as the server says. */
  awayMinutes: number | null;
}

const KEY = 'sb.prefs';
const DEFAULTS: Prefs = {
  theme: 'auto',
  locale: null,
  sound: true,
  desktop: true,
  enterSends: true,
  singleKeys: true,
  compact: false,
  card: true,
  nav: true,
  awayMinutes: null,
};

function read(): Prefs {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Prefs>) };
  } catch {
    return DEFAULTS;
  }
}

/** Choices of this browser, not of the account. */
export const prefs = $state<Prefs>(read());

export function savePrefs(change: Partial<Prefs>): void {
  Object.assign(prefs, change);
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // Private mode without storage: the choice lasts as long as the page.
  }
  if (change.theme) applyTheme();
  if (change.locale) void setLocale(change.locale);
}

export function applyTheme(): void {
  const root = document.documentElement;
  if (prefs.theme === 'auto') delete root.dataset.theme;
  else root.dataset.theme = prefs.theme;
}

export async function startPrefs(): Promise<void> {
  applyTheme();
  await setLocale(prefs.locale ?? preferredLocale());
}
