// VoxEngine scenario: takes a call, asks Switchboard who should get it, rings them one after another, and tells what becomes of it.
// HOOK and TOKEN are the channel's address and token; USER_DOMAIN is where your users are.
const HOOK = 'https://desk.example/hooks/voip/KEY';
const TOKEN = 'TOKEN';

const session = { id: null, from: '', to: '' };

// Signed with the token; tried again while the server is away. A repetition is known by its content.
async function tell(event, more) {
  const body = JSON.stringify({
    event, call_id: session.id, direction: 'inbound', from: session.from, to: session.to,
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

VoxEngine.addEventListener(AppEvents.CallAlerting, async ({ call }) => {
  session.id = String(VoxEngine.getSessionId ? VoxEngine.getSessionId() : call.id());
  session.from = call.callerid();
  session.to = call.number();
  let over = false;
  const end = (disposition, more) => {
    if (over) return;
    over = true;
    tell('ended', { disposition, ...more }).then(() => VoxEngine.terminate());
  };
  let answered = 0;
  call.addEventListener(CallEvents.Disconnected, () => end(answered ? 'answered' : 'missed', answered ? { duration_secs: Math.round((Date.now() - answered) / 1000) } : {}));
  call.addEventListener(CallEvents.Failed, () => end('missed'));
  call.addEventListener(CallEvents.RecordStarted, ({ url }) => tell('recording', { recording_url: url }));
  await tell('started');
  const { extensions, ring_secs } = await whom();
  for (const extension of extensions) {
    if (over) return;
    const leg = VoxEngine.callUser({ username: extension, callerid: session.from });
    await tell('ringing', { operator: extension });
    const picked = await new Promise((resolve) => {
      const timer = setTimeout(() => { leg.hangup(); resolve(false); }, ring_secs * 1000);
      leg.addEventListener(CallEvents.Connected, () => { clearTimeout(timer); resolve(true); });
      leg.addEventListener(CallEvents.Failed, () => { clearTimeout(timer); resolve(false); });
    });
    if (!picked) continue;
    answered = Date.now();
    call.answer();
    call.record({ stereo: true });
    VoxEngine.sendMediaBetween(call, leg);
    leg.addEventListener(CallEvents.Disconnected, () => call.hangup());
    call.addEventListener(CallEvents.Disconnected, () => leg.hangup());
    return tell('answered', { operator: extension });
  }
  call.reject(480);
});
