import { createCertificate } from '../../src/phone-simulator/certificate.ts';

/** A server's key and certificate, and the certificate that a client must trust for it; PEM. */
export interface TestTls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** A fresh certificate for 127.0.0.1, ::1 and localhost, its own authority. */
export function createTestTls(): TestTls {
  const { key, certificate } = createCertificate(Date.now());
  return { key, cert: certificate, ca: certificate };
}
