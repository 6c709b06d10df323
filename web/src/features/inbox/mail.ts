/**
 * Makes server-sanitised mail fit for the reading frame: no remote content, no forms, styles moved to `data-style` so
 * that the strict content policy has nothing to complain about. Defence in depth: the server sanitises first, the
 * frame is sandboxed without scripts, and this removes what could act or call out a third time.
 */
export function prepareMail(
  html: string,
  { images = false, leadsTo = (host: string) => host }: { images?: boolean; leadsTo?: (host: string) => string } = {},
): { html: string; body: string; blocked: number } {
  const doc = new DOMParser().parseFromString(withoutStyles(html), 'text/html');
  let blocked = 0;
  for (const el of doc.querySelectorAll(
    'script, style, link, meta, base, iframe, frame, object, embed, form, input, button, textarea, select, svg, math, audio, video, source, template',
  ))
    el.remove();
  for (const el of doc.querySelectorAll('*')) {
    for (const attr of [...el.attributes]) {
      const name = attr.name.toLowerCase();
      if (name.startsWith('on') || name === 'srcset' || name === 'background' || name === 'ping' || name === 'id')
        el.removeAttribute(attr.name);
      else if (name === 'style') el.removeAttribute('style');
      else if (name === 'data-style') {
        const safe = safeStyle(attr.value);
        if (safe) el.setAttribute('data-style', safe);
        else el.removeAttribute('data-style');
      }
    }
    if (el.tagName === 'IMG') {
      const src = el.getAttribute('src') ?? '';
      const isRemote = /^https?:\/\//i.test(src.trim());
      if (isRemote && images && !isPixel(el)) {
        el.setAttribute('referrerpolicy', 'no-referrer');
      } else if (!/^(\/api\/v1\/attachments\/|data:image\/|blob:)/.test(src)) {
        if (isRemote && !images) blocked += 1;
        const alt = el.getAttribute('alt');
        el.replaceWith(doc.createTextNode(alt ? `[${alt}]` : ''));
      }
    } else if (el.tagName === 'A') {
      const href = el.getAttribute('href') ?? '';
      if (!/^(https?:|mailto:|tel:)/i.test(href.trim())) el.removeAttribute('href');
      const host = hostOf(href);
      if (host) {
        el.setAttribute('title', href.trim());
        if (namesAnother(el.textContent, host)) {
          const note = doc.createElement('span');
          note.textContent = ` (${leadsTo(host)})`;
          note.setAttribute('data-style', 'color: #b3241c; font-size: 12px');
          el.after(note);
        }
      }
      el.setAttribute('target', '_blank');
      el.setAttribute('rel', 'noopener noreferrer nofollow');
    }
  }
  const body = doc.body.innerHTML;
  return { html: `<!doctype html><html><body>${body}</body></html>`, body, blocked };
}

/** An image nobody is meant to see: it only tells that the mail was opened. */
function isPixel(el: Element): boolean {
  return ['width', 'height'].some((side) => /^\s*[01](px)?\s*$/.test(el.getAttribute(side) ?? ''));
}

/** The host a link leads to, in the letters it is asked for by. */
function hostOf(href: string): string | null {
  try {
    const url = new URL(href.trim());
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.hostname : null;
  } catch {
    return null;
  }
}

/** Whether the words of a link are an address of another host than the one it leads to. */
export function namesAnother(words: string, host: string): boolean {
  const named = /(?:^|[\s/@(])((?:[\p{L}\p{N}-]+\.)+[\p{L}]{2,})(?=$|[\s/:?#),])/u.exec(words.trim());
  if (!named?.[1] || words.includes('@')) return false;
  const bare = (name: string) => name.toLowerCase().replace(/^www\./, '');
  const [said, real] = [bare(named[1]), bare(host)];
  // A file name is no address: "offer.pdf".
  if (!words.includes('/') && /\.(pdf|docx?|xlsx?|pptx?|zip|txt|jpe?g|png|html?)$/i.test(said)) return false;
  return said !== real && !real.endsWith(`.${said}`) && !said.endsWith(`.${real}`);
}

/**
 * Even the parser reports styles to the content policy, so they are taken out of its sight in the text. What this
 * misses in broken markup is only reported and not applied.
 */
function withoutStyles(html: string): string {
  return html
    .replace(/<style[\s\S]*?(<\/style\s*>|$)/gi, '')
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/(["'\s/])style(\s*=)/gi, '$1data-style$2'));
}

/** Declarations that only dress text and boxes; nothing that loads, covers or moves out of the frame. */
export function safeStyle(style: string): string {
  return style
    .split(';')
    .map((d) => d.trim())
    .filter((d) => {
      const match = /^([a-z-]+)\s*:\s*(.+)$/i.exec(d);
      if (!match) return false;
      const [, name = '', value = ''] = match;
      if (/url\s*\(|expression|image-set|@import|\\/i.test(value)) return false;
      return /^(color|background(-color)?|font(-.+)?|text-(align|decoration|transform|indent)|line-height|letter-spacing|white-space|vertical-align|border(-.+)?|padding(-.+)?|margin(-.+)?|width|max-width|height|display|list-style(-type)?|direction)$/i.test(
        name,
      );
    })
    .join('; ');
}
