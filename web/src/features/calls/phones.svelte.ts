import { api } from '../../api/client';
import type { Page, Phone } from '../../api/types';

/** The telephones that can be asked to ring; asked once for the whole app. */
let phones = $state.raw<Phone[]>([]);
let asked: Promise<void> | undefined;

export function dialling(): Phone | undefined {
  asked ??= api
    .get<Page<Phone>>('/calls/phones')
    .then((page) => {
      phones = page.items;
    })
    .catch(() => {
      asked = undefined;
    });
  return phones.find((phone) => phone.dials);
}
