/** The wire between the browsers and the server, which a test can cut. */
import { connect, createServer } from 'node:net';

/**
 * Forwards connections on a port of its own to `target` on this machine. `cut()` resets every open connection and
 * every new one until `restore()`: what a browser sees when a laptop lid closes or a train enters a tunnel.
 */
export async function startProxy(target) {
  const open = new Set();
  let whole = true;
  const server = createServer((near) => {
    near.on('error', () => near.destroy());
    if (!whole) return near.resetAndDestroy();
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() {
      whole = false;
      for (const socket of open) socket.resetAndDestroy();
    },
    restore() {
      whole = true;
    },
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
