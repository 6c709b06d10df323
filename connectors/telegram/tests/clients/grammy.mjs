// A client library nobody here wrote (grammY) uses the Bot API server of the testkit as it would use Telegram's.
//
//   node grammy.mjs URL TOKEN FILE_ID
//
// The test that starts this puts ten texts into chat 42 and lets chat 7 block the bot. A line for each thing that
// held; the first that does not ends it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { Bot, GrammyError, InputFile, webhookCallback } from 'grammy';

const [, , url, token, fileId] = process.argv;
const bot = new Bot(token, { client: { apiRoot: url } });
const held = (what) => process.stdout.write(`${what}\n`);

const me = await bot.api.getMe();
assert.equal(me.username, 'shop_bot');
held('it says who it is');

// An offset confirms what lies before it, and nothing else does.
const first = await bot.api.getUpdates({ limit: 4 });
const again = await bot.api.getUpdates({ limit: 4 });
assert.deepEqual(first, again);
assert.equal(first.length, 4);
const rest = await bot.api.getUpdates({ offset: first[3].update_id + 1 });
assert.equal(rest.length, 6);
assert.deepEqual(await bot.api.getUpdates({ offset: -1 }), [rest[5]]);
assert.deepEqual(await bot.api.getUpdates({ offset: rest[5].update_id + 1 }), []);
held('updates stay until their offset');

// A second poller ends the first.
const older = bot.api.getUpdates({ timeout: 30 }).then(() => null, (error) => error);
await new Promise((resolve) => setTimeout(resolve, 200));
const newer = bot.api.getUpdates({ timeout: 0 });
const ended = await older;
assert.ok(ended instanceof GrammyError && ended.error_code === 409 && ended.description.includes('terminated by other getUpdates'));
await newer;
held('of two pollers the older is ended with 409');

const sent = await bot.api.sendMessage(42, 'Hello 😀', {
    entities: [{ type: 'bold', offset: 6, length: 2 }],
    reply_parameters: { message_id: 1 },
    reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'y' }]] },
});
assert.equal(sent.text, 'Hello 😀');
assert.equal(sent.entities[0].type, 'bold');
const changed = await bot.api.editMessageText(42, sent.message_id, 'Bye');
assert.equal(changed.text, 'Bye');
await assert.rejects(bot.api.editMessageText(42, sent.message_id, 'Bye'), /message is not modified/);
held('texts go out and are changed');

const photo = await bot.api.sendPhoto(42, new InputFile(Buffer.from('picture'), 'a.png'), { caption: 'c' });
assert.equal(photo.caption, 'c');
const album = await bot.api.sendMediaGroup(42, [
    { type: 'photo', media: new InputFile(Buffer.from('one'), '1.png'), caption: 'both' },
    { type: 'video', media: new InputFile(Buffer.from('two'), '2.mp4') },
]);
assert.equal(album.length, 2);
assert.equal(album[0].media_group_id, album[1].media_group_id);
held('files and albums go out');

const file = await bot.api.getFile(fileId);
const got = await fetch(`${url}/file/bot${token}/${file.file_path}`);
assert.equal(await got.text(), 'contents');
held('files are got');

for (const [call, words] of [
    [() => bot.api.sendMessage(42, 'x'.repeat(4097)), /message is too long/],
    [() => bot.api.sendMessage(42, '😀'.repeat(2049)), /message is too long/],
    [() => bot.api.sendMessage(42, '  '), /text is empty/],
    [() => bot.api.sendPhoto(42, new InputFile(Buffer.from('p'), 'a.png'), { caption: 'x'.repeat(1025) }), /caption is too long/],
    [() => bot.api.sendMessage(42, '😀', { entities: [{ type: 'bold', offset: 1, length: 1 }] }), /can't parse entities/],
    [() => bot.api.sendMessage(7, 'x'), /bot was blocked by the user/],
    [() => new Bot('1:wrong', { client: { apiRoot: url } }).api.getMe(), /Unauthorized/],
]) {
    await assert.rejects(call(), words);
}
held('limits and refusals are as documented');

// A webhook is proven by its word, brought the next update of a chat only after 2xx, and ends polling.
const served = [];
let failures = 2;
bot.on('message:text', (context) => {
    served.push(context.message.text);
    if (failures-- > 0) {
        throw new Error('not yet');
    }
});
bot.botInfo = me;
const callback = webhookCallback(bot, 'http', { secretToken: 'word' });
const server = http.createServer((request, response) => {
    callback(request, response).catch(() => {
        response.statusCode = 500;
        response.end();
    });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
await bot.api.setWebhook(`http://127.0.0.1:${server.address().port}/hook`, { secret_token: 'word' });
await assert.rejects(bot.api.getUpdates(), /can't use getUpdates method while webhook is active/);
process.stdout.write('webhook\n');
while (served.length < 5) {
    await new Promise((resolve) => setTimeout(resolve, 50));
}
assert.deepEqual(served, ['one', 'one', 'one', 'two', 'three']);
assert.equal((await bot.api.getWebhookInfo()).last_error_message?.includes('500'), true);
await bot.api.deleteWebhook();
server.close();
held('a webhook is brought updates in order and again until it takes them');

await bot.api.raw.setMyCommands({ commands: [{ command: 'start', description: 'Begin' }] });
await bot.api.sendChatAction(42, 'typing');
await bot.api.deleteMessages(42, [sent.message_id]);

process.stdout.write('fast\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
await bot.api.sendMessage(50, '1');
const fast = await bot.api.sendMessage(50, '2').then(() => null, (error) => error);
assert.ok(fast instanceof GrammyError && fast.error_code === 429 && fast.parameters.retry_after === 3);
held('who is too fast is told for how long to be silent');
process.stdout.write('all held\n');
process.exit(0);
