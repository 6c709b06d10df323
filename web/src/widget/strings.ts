/** What the panel says. `{…}` are places to fill in. */

/** Hash of all files in `strings/`. Set by the build. */
declare const STRINGS: string;

/** English, the language that is always there. */
export const english = {
  title: 'Chat with us',
  open: 'Open chat',
  close: 'Close chat',
  unread: 'unread: {n}',
  hello: 'Hello! Write to us, we answer right here.',
  away: 'We are away now. Leave a message and we will answer.',
  until: 'We are back {time}. Leave a message and we will answer.',
  online: 'We are here',
  log: 'Messages',
  write: 'Write a message…',
  send: 'Send',
  attach: 'Attach a file',
  remove: 'Remove {name}',
  drop: 'Drop files here',
  uploading: 'Uploading {name}',
  broken: '{name} was not uploaded',
  large: '{name} is larger than {size}',
  long: '{n} characters too many',
  you: 'You',
  staff: 'Support',
  sending: 'Sending…',
  waiting: 'Waiting for the connection…',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
  retry: 'Retry',
  discard: 'Discard',
  typing: '{name} is typing…',
  offline: 'No connection. We keep trying.',
  unavailable: 'No chat on this page.',
  renewed: 'The earlier conversation is over.',
  refused: 'Not accepted.',
  tooMuch: 'Too large.',
  tooMany: 'Too many at once. We keep trying.',
  fresh: 'New messages',
  sound: 'Sound',
  edited: 'edited',
  deleted: 'Message deleted',
  place: 'You are number {n} in the queue.',
  wait: 'You are number {n}, about {time}.',
};

/** All texts of one language. */
export type Strings = typeof english;

/** Languages with a file of their own in `strings/`; English is part of the panel. */
const OTHERS = ['de', 'es', 'fa', 'ru', 'uz'];

/** A language that the panel can speak. `tag` keeps the region, for dates and numbers. */
export interface Language {
  code: string;
  tag: string;
  rtl: boolean;
}

/**
 * The language to speak: the first wish that is known, by its primary subtag (`ru-KZ` → `ru`).
 * `auto`, empty and unknown wishes are passed over.
 */
export function choose(wishes: (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const tag = wish?.trim().replace('_', '-') ?? '';
    const code = tag.split('-')[0]?.toLowerCase() ?? '';
    if (code === 'en' || OTHERS.includes(code)) return { code, tag, rtl: code === 'fa' };
  }
  return { code: 'en', tag: 'en', rtl: false };
}

/** The texts of a language; English when its file cannot be had. Texts it lacks are English too. */
export async function texts(code: string, origin: string): Promise<Strings> {
  if (code === 'en') return english;
  try {
    const file = (await import(/* @vite-ignore */ `${origin}/widget/strings-${code}.js?v=${STRINGS}`)) as {
      default: Partial<Strings>;
    };
    return { ...english, ...file.default };
  } catch {
    return english;
  }
}

/** Puts values into the places of a text. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
