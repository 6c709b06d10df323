/** Finds addresses in plain text. Only http and https become links; everything else stays text. */

/** A piece of text, or a link with the text that it shows. */
export interface Piece {
  text: string;
  href?: string;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+|\bwww\.[^\s<>"'`]+\.[^\s<>"'`]+/gi;

/** Splits `text` so that joining the `text` of all pieces gives it back unchanged. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = trim(match[0]);
    const href = address(shown);
    if (!href) continue;
    if (match.index > from) out.push({ text: text.slice(from, match.index) });
    out.push({ text: shown, href });
    from = match.index + shown.length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

/** Marks at the end belong to the sentence; a closing bracket too, unless the address opened it. */
function trim(found: string): string {
  let end = found.length;
  for (; end > 0; end--) {
    const last = found[end - 1] as string;
    if ('.,:;!?*_~»”…'.includes(last)) continue;
    const at = ')]}'.indexOf(last);
    if (
      at < 0 ||
      found.slice(0, end - 1).split('([{'[at] as string).length > found.slice(0, end - 1).split(last).length
    )
      break;
  }
  return found.slice(0, end);
}

function address(shown: string): string | undefined {
  try {
    const url = new URL(/^www\./i.test(shown) ? 'https://' + shown : shown);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
