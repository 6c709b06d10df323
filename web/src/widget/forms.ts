/**
 * `forms.js`: the questions before the chat, the question for a rating, sending a transcript. Most visits need neither, so the panel loads
 * them when they are asked for.
 */
export { form } from './prechat';
export { rate } from './rate';
export { transcript } from './transcript';

export const CSS = `
.in{border:1px solid var(--edge);border-radius:8px;width:100%;min-height:42px;padding:8px 10px;background:var(--surface)}
.fm{padding:16px 20px;gap:14px}
.fm label{display:grid;gap:4px;font-size:14px}
.fm .ck{grid-template-columns:auto 1fr;align-items:center;gap:8px}
.ck input{width:20px;height:20px;accent-color:var(--focus)}
.fm [aria-invalid=true]{border-color:var(--danger)}
.fm .er{padding:4px 0 0}
.rt{position:relative;border-top:1px solid var(--line);padding:12px 20px;text-align:center}
.rt fieldset{border:0;padding:0;min-width:0}
.rt legend{padding:0;width:100%;font-weight:600}
.rt label{display:inline-block;width:44px;font-size:30px;line-height:44px;color:var(--edge);cursor:pointer;position:relative}
.rt label:has(:checked),.rt label:has(~label :checked),.rt label:hover{color:var(--focus)}
.rt label input{position:absolute;inset:0;width:100%;height:100%;opacity:0;cursor:pointer}
.rt label:focus-within{outline:2px solid var(--focus);outline-offset:-4px;border-radius:12px}
.rt .in{display:block;text-align:start;margin-top:8px}
.rt .go{width:100%;margin-top:8px}
.rt .sk{font-size:13px;color:var(--muted)}
.rt+.rt{border:0;padding-top:0}
.rt .er{text-align:start;padding:4px 0 0}
`;
