/**
 * Parts of the panel that few messages need; each comes over the wire when it is first used. They are ES modules of
 * their own beside `panel.js`, asked for by the hash of their content.
 */

/** Hash of each part. Set by the build. */
declare const PARTS: Record<keyof Parts, string>;

/** Between attempts to load a part, milliseconds. */
const AGAIN_MS = 3_000;

export interface Parts {
  /** the questions before the chat, the rating, sending a transcript */
  forms: typeof import('./forms');
  /** uploads and the files of messages */
  files: typeof import('./files');
  /** the menu, emoji, sounds */
  tools: typeof import('./tools');
  /** proof of work, asked for by a server under attack */
  work: typeof import('./work');
}

/** A part may bring a style of its own. */
interface Styled {
  CSS?: string;
}

export class Loaded {
  #there: Partial<Parts> = {};
  #coming: Partial<Record<keyof Parts, Promise<unknown>>> = {};
  #failures = 0;
  #resting = false;

  constructor(
    private origin: string,
    private shadow: ShadowRoot,
    /** a part came: what needed it can be drawn */
    private changed: () => void,
  ) {}

  /** The part, or nothing yet: then it is being loaded, and a drawing follows. */
  get<K extends keyof Parts>(name: K): Parts[K] | undefined {
    // drawings ask again and again: one attempt at a time, and a pause after each that failed
    if (!this.#there[name] && !this.#coming[name] && !this.#resting) {
      this.need(name).catch(() => {
        this.#resting = true;
        setTimeout(() => {
          this.#resting = false;
          this.changed();
        }, AGAIN_MS);
      });
    }
    return this.#there[name] as Parts[K] | undefined;
  }

  /** The part, once it is there. */
  need<K extends keyof Parts>(name: K): Promise<Parts[K]> {
    const again = this.#failures ? '&again=' + this.#failures : '';
    this.#coming[name] ??= (
      import(/* @vite-ignore */ `${this.origin}/widget/${name}.js?v=${PARTS[name]}${again}`) as Promise<
        Parts[K] & Styled
      >
    ).then(
      (part) => {
        if (part.CSS) style(this.shadow, part.CSS);
        this.#there[name] = part;
        this.changed();
        return part;
      },
      (error: unknown) => {
        this.#failures++;
        delete this.#coming[name];
        throw error;
      },
    );
    return this.#coming[name] as Promise<Parts[K]>;
  }

  /** What a visitor does by hand; when the part cannot be had, nothing happens, and they try again. */
  use<K extends keyof Parts>(name: K, act: (part: Parts[K]) => void): void {
    void this.need(name).then(act, () => undefined);
  }
}

/** Adds a style sheet without a `style` element, which a site's policy may forbid. */
export function style(shadow: ShadowRoot, css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, sheet];
}
