/**
 * A wire as bad as wires get: bytes come late, connections are cut in the midst of a request or an answer, and some
 * are doubled (what the browser sent reaches the server twice, over two connections).
 */
import { connect, createServer } from 'node:net';

/**
 * Forwards a port of its own to `target` on this machine. `random` is a source of numbers from 0 to 1; `rates` say how
 * often things go wrong. `counts` tells how often they did; `heal()` ends all of it.
 */
export async function startFaults(target, { random, cutEvery = 200, lateMs = 30, twice = 0.08 }) {
  const open = new Set();
  const counts = { connections: 0, cuts: 0, doubled: 0, late: 0 };
  let ill = true;
  const late = () => (ill && random() < 0.3 ? (counts.late++, Math.round(random() * lateMs)) : 0);

  /** Passes bytes on in their order, each as late as chance will have it; cuts in the midst of one now and then. */
  const carry = (from, to, cut) => {
    let queue = Promise.resolve();
    from.on('data', (data) => {
      const wait = late();
      const breaks = ill && random() < 1 / cutEvery;
      from.pause();
      queue = queue.then(async () => {
        if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
        // what came before the cut may well have been heard
        if (!to.destroyed) to.write(breaks ? data.subarray(0, Math.floor(random() * data.length)) : data);
        if (breaks) cut();
        else from.resume();
      });
    });
    from.on('end', () => void queue.then(() => to.end()));
  };

  const server = createServer((near) => {
    counts.connections++;
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    const all = [near, far];
    let shadow;
    // Not by chance: of two hundred connections that may be none.
    if (ill && counts.connections % Math.round(1 / twice) === 0) {
      counts.doubled++;
      shadow = connect({ port: target, host: '127.0.0.1', noDelay: true });
      // nobody hears what it is answered
      shadow.on('data', () => undefined);
      near.on('data', (data) => shadow.destroyed || shadow.write(data));
      all.push(shadow);
    }
    const cut = () => {
      counts.cuts++;
      for (const socket of all) socket.resetAndDestroy();
    };
    for (const socket of all) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    carry(near, far, cut);
    carry(far, near, cut);
    near.on('close', () => {
      far.destroy();
      shadow?.destroy();
    });
    far.on('close', () => near.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    counts,
    heal: () => (ill = false),
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
