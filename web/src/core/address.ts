import type { Address } from './drafts';

/** What somebody typed or pasted into an address field: `Name <a@b>`, or addresses between commas, semicolons, lines. */
export function parseAddresses(text: string): Address[] {
  return text
    .split(/[,;\n]+(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const match = /^"?([^"<]*)"?\s*<([^<>]+)>$/.exec(part);
      const name = match?.[1]?.trim();
      return { ...(name ? { name } : {}), address: (match?.[2] ?? part).trim().toLowerCase() };
    });
}

/** Whether it looks like an address; the server looks closer. */
export function isAddress(address: string): boolean {
  return (
    /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\".]+(?:\.[^\s@<>()[\],;:\\".]+)+$/.test(address) && address.length < 255
  );
}

export function shownAddress(a: Address): string {
  return a.name || a.address;
}
