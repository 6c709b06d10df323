/**
 * A customer's web site on an origin of its own with a form on it: strict policy, hostile style.
 *   /          the form by its script        /landing  a page without a form that remembers the visit
 *   /plain     the form as plain HTML        /thanks   where a post may ask to go
 */
import { createServer } from 'node:http';

const HOSTILE = `
* { letter-spacing: 3px; text-transform: uppercase; box-sizing: content-box; }
div, section, form, fieldset, button, p, span, label { display: inline !important; margin: 7px !important; color: #0a0 !important; font: italic 22px/3 serif !important; }
button, input, textarea, select { background: #ff0 !important; border: 5px dotted red !important; display: none !important; }
[data-switchboard-form] { display: block !important; letter-spacing: 9px; }
body { font: 18px serif; background: #f4ead2; color: #333; padding: 40px; }
`;

/** `form` answers the key and the plain HTML, once they are known. */
export async function startFormSite({ desk, key, plain = () => '', lang = 'en' }) {
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${desk}`,
    "style-src 'self'",
    `connect-src ${desk}`,
    `form-action ${desk}`,
    "base-uri 'none'",
  ].join('; ');
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://site');
    if (url.pathname === '/site.css') return response.writeHead(200, { 'Content-Type': 'text/css' }).end(HOSTILE);
    if (url.pathname === '/favicon.ico') return response.writeHead(204).end();
    const body = {
      '/': `<div data-switchboard-form="${key}"></div><script src="${desk}/f/${key}/embed.js" async></script>`,
      '/plain': `${plain()}<script src="${desk}/f/${key}/from.js" async></script>`,
      '/landing': `<script src="${desk}/f/${key}/from.js" async></script><a href="/">To the form</a>`,
    }[url.pathname];
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy,
      'Referrer-Policy': 'strict-origin-when-cross-origin',
    })
      .end(`<!doctype html><html lang="${url.searchParams.get('lang') ?? lang}"><head><meta charset="utf-8"><title>Lamp shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${url.pathname === '/plain' ? '' : '<link rel="stylesheet" href="/site.css">'}</head>
<body><main><h1>Lamp shop</h1>${body ?? '<p>Another page</p>'}</main></body></html>`);
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  return {
    origin: `http://localhost:${server.address().port}`,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}
