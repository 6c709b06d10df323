// VoxEngine scenario: takes a call, asks Switchboard who should get it, rings them one after another, and tells what becomes of it.
// Started by Switchboard (StartScenarios), it rings the operator first and then the client.
// HOOK and TOKEN are the channel's address and token.
const HOOK = 'https://desk.example/hooks/voip/KEY';
const TOKEN = 'TOKEN';
const RING_SECS = 45;

const session = { id: null, direction: 'inbound', from: '', to: '', over: false, talksSince: 0 };

// Signed with the token; tried again while the server is away. A repetition is known by its content.
async function tell(event, more) {
  const body = JSON.stringify({
    event, call_id: session.id, direction: session.direction, from: session.from, to: session.to,
    at: new Date().toISOString(), ...more,
  });
  for (let attempt = 0; attempt < 5; attempt++) {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = Crypto.hmac_sha256(TOKEN, timestamp + '.' + body);
    const answer = await Net.httpRequestAsync(HOOK, {
      method: 'POST',
      headers: ['Content-Type: application/json', 'X-Timestamp: ' + timestamp, 'X-Signature: ' + signature],
      postData: body,
    });
    if (answer.code >= 200 && answer.code < 500 && answer.code !== 429) return;
    await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
  }
}

async function whom() {
  const query = '?from=' + encodeURIComponent(session.from) + '&to=' + encodeURIComponent(session.to) + '&token=' + encodeURIComponent(TOKEN);
  const answer = await Net.httpRequestAsync(HOOK + '/route' + query, { method: 'GET', timeout: 3 });
  try { return JSON.parse(answer.text); } catch { return { extensions: [], ring_secs: 20 }; }
}

function begin(direction, from, to) {
  Object.assign(session, { id: String(VoxEngine.getSessionId()), direction, from, to });
}

// Told once, whoever hangs up first; the session ends when it was told.
function end(disposition) {
  if (session.over) return;
  session.over = true;
  const more = session.talksSince ? { duration_secs: Math.round((Date.now() - session.talksSince) / 1000) } : {};
  tell('ended', { disposition: session.talksSince ? 'answered' : disposition, ...more }).then(() => VoxEngine.terminate());
}

function picksUp(leg, secs) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => { leg.hangup(); resolve(false); }, secs * 1000);
    leg.addEventListener(CallEvents.Connected, () => { clearTimeout(timer); resolve(true); });
    leg.addEventListener(CallEvents.Failed, () => { clearTimeout(timer); resolve(false); });
  });
}

function talk(client, operator, extension) {
  session.talksSince = Date.now();
  client.addEventListener(CallEvents.RecordStarted, ({ url }) => tell('recording', { recording_url: url }));
  client.record({ stereo: true });
  VoxEngine.sendMediaBetween(client, operator);
  operator.addEventListener(CallEvents.Disconnected, () => { client.hangup(); end('answered'); });
  client.addEventListener(CallEvents.Disconnected, () => { operator.hangup(); end('answered'); });
  return tell('answered', { operator: extension });
}

VoxEngine.addEventListener(AppEvents.CallAlerting, async ({ call }) => {
  begin('inbound', call.callerid(), call.number());
  call.addEventListener(CallEvents.Disconnected, () => end('missed'));
  call.addEventListener(CallEvents.Failed, () => end('missed'));
  await tell('started');
  const { extensions, ring_secs } = await whom();
  for (const extension of extensions) {
    if (session.over) return;
    const leg = VoxEngine.callUser({ username: extension, callerid: session.from });
    await tell('ringing', { operator: extension });
    if (!(await picksUp(leg, ring_secs))) continue;
    call.answer();
    return talk(call, leg, extension);
  }
  call.reject(480);
});

// A click in Switchboard: {"type":"call.dial","operator":"101","to":"+7…","from":"+7…"}.
VoxEngine.addEventListener(AppEvents.Started, async () => {
  let wish = null;
  try { wish = JSON.parse(VoxEngine.customData()); } catch { return; }
  if (!wish || wish.type !== 'call.dial') return;
  begin('outbound', wish.from, wish.to);
  const operator = VoxEngine.callUser({ username: wish.operator, callerid: wish.to });
  await tell('started');
  if (!(await picksUp(operator, RING_SECS))) return end('canceled');
  const client = VoxEngine.callPSTN(wish.to, wish.from);
  await tell('ringing', { operator: wish.operator });
  operator.addEventListener(CallEvents.Disconnected, () => { client.hangup(); end('canceled'); });
  if (await picksUp(client, RING_SECS)) return talk(client, operator, wish.operator);
  operator.hangup();
  end('missed');
});
