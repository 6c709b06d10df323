/**
 * A customer's web site on an origin of its own: strict policy, hostile style, the widget's snippet.
 * It is what the widget has to survive in the wild.
 */
import { createServer } from 'node:http';

/** Style of a site that was never made with a widget in mind. */
const HOSTILE = `
* { letter-spacing: 3px; text-transform: uppercase; box-sizing: content-box; }
div, section, button, p, span { display: block !important; margin: 7px !important; color: #0a0 !important; font: italic 22px/3 serif !important; }
button, input, textarea { background: #ff0 !important; border: 5px dotted red !important; }
:root { direction: ltr; }
body { font: 18px serif; background: #f4ead2; color: #333; padding: 40px; min-height: 2000px; }
`;

/**
 * Starts the site. `widget` is the server's origin, `key` the channel's key; the page's address may carry
 * `?attr=data-theme%3Ddark,…` to set further attributes of the script tag, and `?csp=off` to drop the policy. Without `sockets` the policy forbids them.
 * Answers the origin, a log of violation reports and `close`.
 */
export async function startSite({ widget, key, host = 'localhost', sockets = true }) {
  const ws = widget.replace(/^http/, 'ws');
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${widget}`,
    "style-src 'self'",
    `connect-src ${widget} ${sockets ? ws : ''}`,
    `img-src 'self' ${widget}`,
    "base-uri 'none'",
  ].join('; ');
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://site');
    if (url.pathname === '/site.css') return response.writeHead(200, { 'Content-Type': 'text/css' }).end(HOSTILE);
    if (url.pathname === '/early.js')
      return response.writeHead(200, { 'Content-Type': 'text/javascript' })
        .end(`window.Switchboard=window.Switchboard||function(){(Switchboard.q=Switchboard.q||[]).push(arguments)};
window.heard=[];for(const name of ["ready","open","close","message","unread","send","prechat","end","invited","invitation"])Switchboard("on",name,(data)=>heard.push([name,data&&data.text||data]));`);
    if (url.pathname === '/favicon.ico') return response.writeHead(204).end();
    const attributes = (url.searchParams.get('attr') ?? '')
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('='))
      .map(([name, value]) => `${name.replace(/[^a-z-]/g, '')}="${value.replace(/[^\w#.-]/g, '')}"`)
      .join(' ');
    const twice = url.searchParams.has('twice');
    const script = `<script src="${widget}/widget/v1.js" data-channel="${key}" ${attributes} async></script>`;
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      ...(url.searchParams.get('csp') !== 'off' && { 'Content-Security-Policy': policy }),
    }).end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lamp shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/site.css"><script src="/early.js"></script></head>
<body><main><h1>Lamp shop</h1><p>Every lamp on this page is for sale.</p><a href="/other">Another page</a></main>${script}${twice ? script : ''}</body></html>`);
  });
  await new Promise((resolve) => server.listen(0, host, resolve));
  return {
    origin: `http://${host}:${server.address().port}`,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}
