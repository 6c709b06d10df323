/** The mail servers of the tests (tests/servers): mailboxes of people and of channels. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';

function variable(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the servers of the tests with eval "$(make -s servers)"`);
  return value;
}
const server = (name) => {
  const [host, port] = variable(name).split(':');
  return { host, port: Number(port), tls: 'none' };
};

/** A mailbox of its own. */
export function mailbox(name, domain) {
  const address = `${name}-${randomUUID().slice(0, 8)}@${domain}`;
  const admin = (args, input = '') =>
    new Promise((done, reject) => {
      const child = execFile(variable('SWITCHBOARD_TEST_MAIL_ADMIN'), args, (error, out) =>
        error ? reject(error) : done(out),
      );
      child.stdin.end(input);
    });
  return {
    address,
    /** The settings of a channel on this mailbox. */
    settings: () => ({
      address,
      from_name: 'Lamp shop',
      imap: { ...server('SWITCHBOARD_TEST_IMAP'), password: 'secret' },
      smtp: server('SWITCHBOARD_TEST_SMTP'),
    }),
    /** Puts a mail in. */
    receive: (raw) => admin(['save', address, 'INBOX'], raw.replaceAll('\n', '\r\n')),
    /** The sources of its mails, once there are so many. */
    async mails(count, folder = 'INBOX') {
      if (folder === 'INBOX') await admin(['wait', address, String(count)]);
      const all = await admin(['mails', address, folder]);
      return all.split('==== UID ').slice(1);
    },
  };
}
