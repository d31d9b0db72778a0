import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import t from 'tap';
import { createCertificate } from '../../src/phone-simulator/certificate.ts';
import { START_SECONDS } from '../support/fake-clock.ts';

const NOW = START_SECONDS * 1000;
const DAY = 24 * 60 * 60 * 1000;

t.test('it is its own authority, for this machine, from a day before until 30 days after', async (t) => {
  const certificate = new X509Certificate(createCertificate(NOW).certificate);
  t.ok(certificate.verify(certificate.publicKey));
  t.ok(certificate.checkIssued(certificate));
  t.equal(certificate.ca, true);
  t.equal(Date.parse(certificate.validFrom), NOW - DAY);
  t.equal(Date.parse(certificate.validTo), NOW + 30 * DAY);
  t.ok(certificate.checkHost('localhost'));
  for (const address of ['127.0.0.1', '::1']) t.ok(certificate.checkIP(address), address);
  t.notOk(certificate.checkHost('example.com'));
  t.notOk(certificate.checkIP('192.0.2.1'));
});

t.test('every one has its own key and serial number', async (t) => {
  const [one, other] = [createCertificate(NOW), createCertificate(NOW)];
  t.not(one.key, other.key);
  t.not(new X509Certificate(one.certificate).serialNumber, new X509Certificate(other.certificate).serialNumber);
});

t.test('a client that trusts it connects, and no other', async (t) => {
  const { key, certificate } = createCertificate(Date.now());
  const server = createServer({ key, cert: certificate }, (socket) => void socket.end()).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect({ port, host: '127.0.0.1', ca: certificate });
  await once(socket, 'secureConnect');
  t.equal(socket.authorized, true);
  socket.destroy();
  await t.rejects(once(connect({ port, host: '127.0.0.1' }), 'secureConnect'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});
