/** A form while it is edited: its fields, their order and their names, and its texts by language. Pure. */
import type { FieldType, FormField } from '../../../api/types';
import { moved } from '../../../core/reorder';
import type { Mapping } from './leads';

export interface FieldTexts {
  label?: string | null;
  placeholder?: string | null;
  help?: string | null;
  error?: string | null;
  options?: string[];
}

export interface Translation {
  title?: string | null;
  submit_label?: string | null;
  message?: string | null;
  consent?: string | null;
  steps?: string[];
  fields?: Record<string, FieldTexts>;
}

export interface Consent {
  required?: boolean;
  text?: string;
  url?: string | null;
  version?: string | null;
}

export interface Captcha {
  provider: string;
  site_key: string;
  secret: string | null;
  min_score?: number | null;
}

/** The settings of a web form, as the server has them. */
export interface FormSettings {
  title?: string | null;
  submit_label?: string | null;
  fields?: FormField[];
  steps?: string[];
  success?: { message?: string | null; redirect_url?: string | null; redirect_origins?: string[] };
  consent?: Consent | null;
  captcha?: Captcha | null;
  allowed_origins?: string[];
  moderation?: boolean;
  color?: string | null;
  theme?: string;
  default_region?: string | null;
  locale?: string | null;
  translations?: Record<string, Translation>;
  creates?: { what?: string; operator_id?: string | null };
  /** what other services push */
  leads?: {
    secret?: string | null;
    meta?: {
      verify_token?: string | null;
      app_secret?: string | null;
      page_token?: string | null;
      graph_url?: string | null;
    } | null;
    mapping?: Mapping[];
  };
  notifications?: FormNotification[];
}

/** Whom accepted submissions are told to. */
export interface FormNotification {
  kind: 'mail' | 'telegram' | 'webhook';
  to?: string[];
  channel_id?: string | null;
  webhook_id?: string | null;
  language?: string | null;
}

export const TYPES: FieldType[] = [
  'text',
  'textarea',
  'email',
  'phone',
  'number',
  'select',
  'checkbox',
  'date',
  'file',
  'hidden',
];

export const stepOf = (field: FormField): number => Math.max(1, field.step ?? 1);

/** What a new field of this type begins with; well-known types are mapped by themselves. */
export function fresh(type: FieldType, fields: readonly FormField[], label: string): FormField {
  const wanted = type === 'email' || type === 'phone' ? type : 'field';
  let name = wanted === 'field' ? 'field1' : wanted;
  for (let n = 2; fields.some((f) => f.name === name || f.formerly?.includes(name)); n++) name = `${wanted}${n}`;
  const last = fields.at(-1);
  return {
    name,
    label,
    type,
    required: false,
    options: type === 'select' ? [label] : [],
    maps_to: null,
    ...(last && stepOf(last) > 1 && { step: stepOf(last) }),
  };
}

/**
 * What must hold after fields were moved or removed: a condition looks at a field before its own, and steps do not go
 * back.
 */
export function mend(fields: readonly FormField[]): FormField[] {
  let step = 1;
  return fields.map((field, i) => {
    step = Math.max(step, stepOf(field));
    const sees = field.show_when && fields.slice(0, i).some((f) => f.name === field.show_when?.field);
    return { ...field, step: step > 1 ? step : null, show_when: sees ? field.show_when : null };
  });
}

/** Moves a field; it takes the step of those it comes to stand between. */
export function move(fields: readonly FormField[], from: number, to: number): FormField[] {
  const next = moved(fields, from, to);
  const before = next[to - 1];
  const after = next[to + 1];
  const item = next[to];
  if (item) {
    const low = before ? stepOf(before) : 1;
    const high = after ? stepOf(after) : Infinity;
    const step = Math.min(Math.max(stepOf(item), low), high);
    next[to] = { ...item, step: step > 1 ? step : null };
  }
  return mend(next);
}

/**
 * Gives a field another name. Pages that were made before go on sending the old one, so that a name which was ever
 * saved is remembered; conditions and translations follow.
 */
export function rename(settings: FormSettings, index: number, wanted: string, saved: readonly string[]): FormSettings {
  const fields = settings.fields ?? [];
  const old = fields[index]?.name;
  let name = wanted;
  for (let n = 2; fields.some((f, i) => i !== index && f.name === name); n++) name = `${wanted}${n}`;
  if (old === undefined || old === name) return settings;
  const renamed = fields.map((field, i) => {
    if (i !== index)
      return field.show_when?.field === old ? { ...field, show_when: { ...field.show_when, field: name } } : field;
    const before = (field.formerly ?? []).filter((known) => known !== name);
    return { ...field, name, formerly: saved.includes(old) && !before.includes(old) ? [...before, old] : before };
  });
  const translations = Object.fromEntries(
    Object.entries(settings.translations ?? {}).map(([tag, texts]) => {
      const { [old]: own, ...others } = texts.fields ?? {};
      return [tag, own ? { ...texts, fields: { ...others, [name]: own } } : texts];
    }),
  );
  return { ...settings, fields: renamed, translations };
}

/** The texts of a field in a language; its own when `tag` is none. */
export function textsOf(settings: FormSettings, tag: string, field: FormField): FieldTexts {
  return tag ? (settings.translations?.[tag]?.fields?.[field.name] ?? {}) : field;
}

export function withFieldTexts(
  settings: FormSettings,
  tag: string,
  index: number,
  change: Partial<FieldTexts>,
): FormSettings {
  const field = settings.fields?.[index];
  if (!field) return settings;
  if (!tag)
    return {
      ...settings,
      fields: (settings.fields ?? []).map((f, i) => (i === index ? ({ ...f, ...change } as FormField) : f)),
    };
  const texts = settings.translations?.[tag] ?? {};
  const own = { ...texts.fields?.[field.name], ...change };
  return withTexts(settings, tag, { fields: { ...texts.fields, [field.name]: own } });
}

export function withTexts(settings: FormSettings, tag: string, change: Partial<Translation>): FormSettings {
  return {
    ...settings,
    translations: { ...settings.translations, [tag]: { ...settings.translations?.[tag], ...change } },
  };
}

const escape = (s: unknown) =>
  String(s ?? '').replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/**
 * The form as plain HTML, for sites that allow no scripts. The seal lets the server know which fields this copy has,
 * so that it goes on working when the form changes.
 */
export function formHtml(settings: FormSettings, action: string, tag: string, seal: string): string {
  const rows = (settings.fields ?? []).map((field) => {
    const texts = { ...field, ...dropEmpty(textsOf(settings, tag, field)) };
    const depends = Boolean(field.show_when);
    const attrs = `name="${escape(field.name)}"${field.required && !depends ? ' required' : ''}${texts.placeholder ? ` placeholder="${escape(texts.placeholder)}"` : ''}`;
    const label = escape(texts.label || field.name);
    if (field.type === 'hidden')
      return `  <input type="hidden" name="${escape(field.name)}" value="${escape(field.value)}">`;
    if (field.type === 'textarea') return `  <label>${label} <textarea ${attrs}></textarea></label>`;
    if (field.type === 'select') {
      const options = (field.options ?? []).map(
        (option, i) => `<option value="${escape(option)}">${escape(texts.options?.[i] || option)}</option>`,
      );
      return `  <label>${label} <select ${attrs}><option value=""></option>${options.join('')}</select></label>`;
    }
    if (field.type === 'checkbox') return `  <label><input type="checkbox" value="true" ${attrs}> ${label}</label>`;
    return `  <label>${label} <input type="${field.type === 'phone' ? 'tel' : field.type}" ${attrs}></label>`;
  });
  const consent = settings.consent;
  if (consent) {
    const text = (tag && settings.translations?.[tag]?.consent) || consent.text;
    rows.push(
      `  <label><input type="checkbox" name="consent" value="true"${consent.required === false ? '' : ' required'}> ${escape(text)}</label>`,
    );
  }
  if (tag || settings.locale)
    rows.push(`  <input type="hidden" name="sb_lang" value="${escape(tag || settings.locale)}">`);
  if (seal) rows.push(`  <input type="hidden" name="sb_v" value="${escape(seal)}">`);
  rows.push(
    '  <div style="position:absolute;inset-inline-start:-9999px" aria-hidden="true"><input name="sb_hp" tabindex="-1" autocomplete="off"></div>',
  );
  const multipart = (settings.fields ?? []).some((f) => f.type === 'file') ? ' enctype="multipart/form-data"' : '';
  const submit = (tag && settings.translations?.[tag]?.submit_label) || settings.submit_label || 'Send';
  return `<form method="post" action="${escape(action)}" accept-charset="utf-8"${multipart}>\n${rows.join('\n')}\n  <button>${escape(submit)}</button>\n</form>`;
}

function dropEmpty(texts: FieldTexts): FieldTexts {
  return Object.fromEntries(Object.entries(texts).filter(([, v]) => v !== null && v !== '' && v !== undefined));
}
