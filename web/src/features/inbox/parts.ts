/** What a composer needs only after it was opened: loaded beside the first page, not with it. */
export { default as FormatBar } from './FormatBar.svelte';
export { default as ButtonsDialog } from './ButtonsDialog.svelte';
export { default as MailFields } from './MailFields.svelte';
export { default as MailFoot } from './MailFoot.svelte';
export { default as RichPreview } from './RichPreview.svelte';
export { default as TemplatePicker } from './TemplatePicker.svelte';
export { fromHtml, nextItem, rich, toggleAround } from '../../core/rich';
