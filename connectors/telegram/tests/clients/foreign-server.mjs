// A Bot API server nobody here wrote (telegram-test-api). It knows texts, and little of delivery: what it is asked
// once it gives once, whatever the offset says.
//
//   node foreign-server.mjs PORT TOKEN COUNT
//
// Says "ready", writes COUNT texts to the bot, then prints each text the bot sends as a line of JSON.
import { createRequire } from 'node:module';

const TelegramServer = createRequire(import.meta.url)('telegram-test-api');
const [, , port, token, count] = process.argv;
const server = new (TelegramServer.default ?? TelegramServer)({ port: Number(port), host: '127.0.0.1', storeTimeout: 60 });
await server.start();
const client = server.getClient(token, { chatId: 42, userId: 42, firstName: 'Ann' });
for (let index = 1; index <= Number(count); index++) {
    await client.sendMessage(client.makeMessage(`text ${index}`));
}
process.stdout.write('ready\n');
const told = new Set();
for (;;) {
    for (const update of server.getUpdatesHistory(token)) {
        const text = update.message?.text;
        if (update.message?.chat_id !== undefined && !told.has(update.messageId)) {
            told.add(update.messageId);
            process.stdout.write(`${JSON.stringify({ chat: update.message.chat_id, text })}\n`);
        }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
}
