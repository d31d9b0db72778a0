import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openPhone } from '../../src/phone-simulator/open-phone.ts';

async function open(t: Test, certificatePath: string, { port = 0, pagePort = 0 as number | null } = {}) {
  const lines: string[] = [];
  const phone = await openPhone({ port, pagePort, certificatePath, write: (line) => void lines.push(line) });
  let closed = false;
  const close = async () => {
    if (!closed) await phone.close();
    closed = true;
  };
  t.teardown(close);
  const notice = lines.join('\n');
  const [, host = ''] = /phone: https:\/\/(\S+) takes/.exec(notice) ?? [];
  const [, page = ''] = /phone: (\S+) shows/.exec(notice) ?? [];
  return { notice, host, page, close };
}

t.test('it leaves its certificate in the file, in place of an older one, and says how to use it', async (t) => {
  const path = join(t.testdir({ 'some.pem': 'old' }), 'some.pem');
  const { notice, host, page } = await open(t, path);
  t.match(readFileSync(path, 'utf8'), /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n$/);
  t.match(notice, `NODE_EXTRA_CA_CERTS=${path} SIGNALWIRE_SPACE=${host} `);
  for (const name of ['PROJECT', 'TOKEN', 'NUMBER']) t.match(notice, `SIGNALWIRE_${name}=`);
  t.notMatch(notice.replace(path, 'phone-certificate.pem'), /.{121}/);
  t.equal((await fetch(page)).status, 200);
  const fresh = join(t.testdir({}), 'fresh.pem');
  await open(t, fresh);
  t.equal(statSync(fresh).mode & 0o777, 0o644);
});

t.test('without a port for the page it is where the APIs are', async (t) => {
  const { host, page } = await open(t, join(t.testdir({}), 'some.pem'), { pagePort: null });
  t.equal(page, `https://${host}`);
});

t.test('a port that is taken is told with the option to change it, and the certificate there stays', async (t) => {
  const path = join(t.testdir({}), 'some.pem');
  const { host, page } = await open(t, path);
  const port = Number(host.split(':')[1]);
  const pagePort = Number(page.split(':')[2]);
  const before = readFileSync(path, 'utf8');
  await t.rejects(open(t, path, { port }), {
    message: `Port ${port} is taken: choose another with --port (EADDRINUSE)`,
  });
  await t.rejects(open(t, path, { pagePort }), { message: /--page-port/ });
  t.equal(readFileSync(path, 'utf8'), before);
});

t.test('a certificate that cannot be written ends it', async (t) => {
  const path = join(t.testdir({ folder: {} }), 'folder');
  await t.rejects(open(t, path), { message: /^The certificate cannot be written: EISDIR/ });
});
