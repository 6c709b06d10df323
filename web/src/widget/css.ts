/**
 * Style of the panel, inside the shadow root. Logical properties only: the panel mirrors itself for
 * right-to-left languages. Colours are the tokens of the product; `--accent`, `--on`, `--focus` and `--link`
 * are computed from the channel's colour, so that what is written in them and on them can be read.
 */
export const CSS = `
.w{--surface:#fff;--sunk:#edeff3;--text:#15181e;--muted:#5a6372;--edge:#7e8795;--line:#dce0e6;--danger:#b3241c;--warn:#7d5200;--soft:#fff0cc;color-scheme:light}
.w[data-theme=dark]{--surface:#16191f;--sunk:#262b35;--text:#e8eaee;--muted:#9ba4b2;--edge:#737d8e;--line:#2b313b;--danger:#ff8f85;--warn:#edb94f;--soft:#33280d;color-scheme:dark}
.p,.p *{box-sizing:border-box;margin:0}
.p{position:fixed;inset-inline-end:20px;bottom:calc(88px + var(--switchboard-bottom,0px));z-index:2147483001;width:min(var(--switchboard-width,384px),100vw - 40px);height:min(var(--switchboard-height,640px),100dvh - 108px - var(--switchboard-bottom,0px));display:flex;flex-direction:column;overflow:hidden;background:var(--surface);color:var(--text);border:1px solid var(--line);border-radius:var(--switchboard-radius,16px);box-shadow:0 12px 40px #0003;font:400 15px/22px var(--switchboard-font,system-ui,"Segoe UI",Roboto,"Noto Sans",Vazirmatn,sans-serif);text-align:start;animation:in .2s ease-out}
.w[data-side=start] .p{inset-inline:20px auto}
.p[hidden],.p [hidden]{display:none!important}
@keyframes in{from{opacity:0;transform:translateY(12px)}}
button,input,textarea,select{font:inherit;color:inherit;border:0;background:none;padding:0}
button{cursor:pointer;border-radius:8px}
.p svg{display:block;width:20px;height:20px;stroke-linecap:round;stroke-linejoin:round}
.p :focus-visible{outline:2px solid var(--focus);outline-offset:2px}
.hd h2,.ty,.qt{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.hd,.go,.o .b,.p .s{background:var(--accent);color:var(--on)}
.hd{position:relative;display:flex;align-items:center;gap:4px;padding-block:12px;padding-inline:20px 10px}
.hd :focus-visible{outline-color:var(--on);outline-offset:-2px}
.hd>div:first-child{flex:1;min-width:0}
.p h2,.p h3{font-size:16px;font-weight:600;line-height:24px}
.hd p,.bn,.ty,.er,.dn{font-size:13px;line-height:18px}
.dy,.sy,.by,.st,.qt{font-size:12px;line-height:16px;color:var(--muted)}
.i{width:40px;height:40px;display:grid;place-items:center;flex:none}
.i:hover{background:#8882}
.bn{padding:8px 20px;background:var(--soft);color:var(--warn)}
.bn.q{background:var(--sunk);color:inherit}
.bd{flex:1;min-height:0;position:relative;display:flex;flex-direction:column}
.lg,.fm{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:2px;scrollbar-width:thin}
.p .lg:focus-visible{outline-offset:-2px}
.lg>:first-child{margin-top:auto;align-self:flex-start}
.b{padding:8px 12px;border-radius:12px;background:var(--sunk);white-space:pre-wrap;overflow-wrap:anywhere;max-width:100%;border-end-start-radius:4px}
.dy,.sy{align-self:center;text-align:center;padding:12px 16px 8px;max-width:100%;overflow-wrap:anywhere}
.m{max-width:84%;display:flex;flex-direction:column;gap:2px;align-self:flex-start;align-items:flex-start;margin-top:2px}
.m.o{align-self:flex-end;align-items:flex-end}
.m.g{margin-top:12px}
.by,.st{padding-inline:4px}
.by{display:flex;align-items:center;gap:4px 6px}
.av{width:24px;height:24px;border-radius:50%;display:grid;place-items:center;background:var(--sunk);color:var(--text);font-size:10px;font-weight:600}
.qt{border-inline-start:2px solid;padding-inline:8px;max-width:100%}
.o .b{border-end-start-radius:12px;border-end-end-radius:4px}
.x .b{background:none;color:inherit;outline:1px solid var(--danger)}
.v .b,.v .im{opacity:.75}
.p a{color:var(--link);text-underline-offset:2px}
.p .o .b a{color:inherit}
.st{display:flex;flex-wrap:wrap;gap:0 8px;align-items:center;justify-content:flex-end}
.x .st,.er{color:var(--danger)}
.st button,.sk{text-decoration:underline;text-underline-offset:2px;min-height:24px;font-weight:600}
.ty{flex:none;min-height:22px;padding-inline:20px;color:var(--muted)}
.dn{position:absolute;bottom:12px;inset-inline:0;margin-inline:auto;width:max-content;display:flex;align-items:center;gap:6px;height:32px;padding-inline:12px;border-radius:16px;background:var(--surface);border:1px solid var(--edge);font-weight:600;box-shadow:0 4px 16px #0004}
.cp{border-top:1px solid var(--line);padding:10px 12px 12px}
.bx{border:1px solid var(--edge);border-radius:12px;display:flex;align-items:flex-end;gap:2px;padding:3px}
.bx:focus-within{outline:2px solid var(--focus);outline-offset:-1px}
.p textarea{resize:none;max-height:132px;scrollbar-width:thin}
.p .bx textarea{flex:1;min-width:0;outline:0;padding:9px 4px;height:40px}
::placeholder{color:var(--muted);opacity:1}
.p .s[aria-disabled=true]{background:var(--sunk);color:var(--muted);cursor:default}
.er{padding-bottom:6px;overflow-wrap:anywhere}
.go{min-height:44px;font-weight:600}
.dr{position:absolute;inset:8px;display:grid;place-items:center;border:2px dashed var(--focus);border-radius:12px;background:var(--surface);font-weight:600;pointer-events:none}
.n{position:absolute;top:-4px;inset-inline-end:-4px;min-width:22px;padding-inline:6px;box-sizing:border-box;border-radius:16px;background:#b3241c;color:#fff;font:600 12px/22px system-ui,sans-serif;text-align:center}
.l:hover{filter:brightness(1.1)}
@media (max-width:480px),(max-height:440px){.w .p{inset:0;width:100%;height:var(--view,100dvh);border:0;border-radius:0;font-size:16px}
.w[data-open] .l{display:none}
.i{width:44px;height:44px}
.bx textarea{height:44px;padding-block:11px}
.cp{padding-bottom:max(12px,env(safe-area-inset-bottom))}
.hd{padding-top:max(10px,env(safe-area-inset-top))}}
@media (prefers-reduced-motion:reduce){.p{animation:none}}
@media (forced-colors:active){.b,.go,.s{border:1px solid}}
`;
