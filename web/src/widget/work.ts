/**
 * `work.js`: the proof of work that a server under attack asks for before it opens sessions for strangers. A visitor
 * waits a fraction of a second; who opens thousands of sessions pays for each.
 *
 * SHA-256 by hand: `crypto.subtle` is missing on sites without TLS, and one promise a hash would be slower.
 */

/** What the server asks: a number whose hash, after `challenge`, begins with `bits` zero bits. */
export interface Puzzle {
  challenge: string;
  bits: number;
}

/** Hashes between two breaths, so that the page stays alive. */
const AT_ONCE = 2_000;

/** Solves it; the answer goes back as `work`. */
export async function solve({ challenge, bits }: Puzzle): Promise<{ challenge: string; nonce: string }> {
  for (let from = 0; ; from += AT_ONCE) {
    for (let n = from; n < from + AT_ONCE; n++)
      if (zeros(sha256(`${challenge}:${n}`)) >= bits) return { challenge, nonce: String(n) };
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Leading zero bits. */
export function zeros(words: Uint32Array): number {
  let count = 0;
  for (const word of words) {
    count += Math.clz32(word);
    if (word) break;
  }
  return count;
}

const primes = (count: number): number[] => {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p)) found.push(n);
  return found;
};
const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) >>> 0;
const K = new Uint32Array(primes(64).map((p) => fraction(Math.cbrt(p))));
const START = new Uint32Array(primes(8).map((p) => fraction(Math.sqrt(p))));
const W = new Uint32Array(64);

/** SHA-256 of an ASCII text (FIPS 180-4), as eight words. */
export function sha256(text: string): Uint32Array {
  const length = text.length;
  const bytes = new Uint8Array(((length + 72) >> 6) << 6);
  for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i);
  bytes[length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 4, length * 8);
  const state = START.slice();
  for (let block = 0; block < bytes.length; block += 64) {
    for (let t = 0; t < 16; t++) W[t] = view.getUint32(block + t * 4);
    for (let t = 16; t < 64; t++) {
      const a = W[t - 15] as number;
      const b = W[t - 2] as number;
      const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
      const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
      W[t] = (W[t - 16] as number) + s0 + (W[t - 7] as number) + s1;
    }
    let [a, b, c, d, e, f, g, i] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (i + s1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (W[t] as number)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      i = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, i].forEach((word, at) => (state[at] = (state[at] as number) + word));
  }
  return state;
}
