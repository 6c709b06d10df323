import { api } from '../../api/client';
import type { CustomField, CustomFieldObject, Page } from '../../api/types';
import { personName, store } from '../../app/live.svelte';
import { track } from '../../app/track';
import { dateTime, number } from '../../i18n/format.svelte';
import { region, t } from '../../i18n/i18n.svelte';
import type { Say } from './fields';

/** What admins defined, asked once while the app is open; the screen that changes it says so. */
let all = $state.raw<CustomField[] | null>(null);
let asked: Promise<void> | null = null;

export function fieldsOf(object: CustomFieldObject): CustomField[] {
  asked ??= api
    .get<Page<CustomField>>('/custom-fields')
    .then((page) => {
      all = page.items;
    })
    .catch(() => {
      asked = null;
    });
  return (all ?? []).filter((f) => f.object === object);
}

export function fieldsChanged(fields: CustomField[]): void {
  all = fields;
  asked = Promise.resolve();
}

/** Tags in use, to choose from. */
export async function tagsOf(object: CustomFieldObject): Promise<string[]> {
  return (await api.get<Page<string>>('/tags', { object })).items;
}

export const say: Say = {
  name: (id) => {
    track(store.peopleChanged);
    return personName(id);
  },
  // With its year: a birthday is rarely this one's.
  date: (day) =>
    new Intl.DateTimeFormat(region(), { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`)),
  moment: dateTime,
  number,
  get yes() {
    return t('own-field-yes');
  },
  get no() {
    return t('own-field-no');
  },
};

/** Colleagues to choose from: those who work here, and the one who is chosen already. */
export function colleagues(chosen?: string | null): { id: string; name: string }[] {
  track(store.peopleChanged);
  return [...store.people.values()]
    .filter((u) => u.enabled || u.id === chosen)
    .sort((a, b) => a.name.localeCompare(b.name));
}
