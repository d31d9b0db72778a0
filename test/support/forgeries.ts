import { createHmac, createPublicKey } from 'node:crypto';
import type { Assertions } from '../../src/gateway/assertion.ts';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What an attacker without the private key might try, given a good token. */
export function forgeries(token: string, { jwks }: Assertions): Record<string, string> {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = (index: number) => {
    const copy = Buffer.from(bytes);
    copy[index] = (copy[index] ?? 0) ^ 1;
    return copy.toString('base64url');
  };
  const { kid, ...head } = JSON.parse(Buffer.from(header, 'base64url').toString());
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const [key] = jwks().keys;
  if (key === undefined) throw new Error('there is no key');
  const publicKey = createPublicKey({ key: { kty: key.kty, crv: key.crv, x: key.x }, format: 'jwk' });
  // RFC 8725 §2.1: the public key, in whatever form, taken for a shared secret.
  const hmac = (secret: string | Buffer) => {
    const input = `${encode({ ...head, alg: 'HS256', kid })}.${claims}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  return {
    'first bit of the signature': `${header}.${claims}.${flipped(0)}`,
    'last bit of the signature': `${header}.${claims}.${flipped(63)}`,
    'another subject': `${header}.${encode({ ...said, sub: 'bob' })}.${signature}`,
    'a longer life': `${header}.${encode({ ...said, exp: said.exp + 1 })}.${signature}`,
    'another header': `${encode({ ...head, kid, extra: 1 })}.${claims}.${signature}`,
    'no signature': `${header}.${claims}.`,
    'alg none': `${encode({ ...head, alg: 'none' })}.${claims}.`,
    'alg none with kid': `${encode({ ...head, alg: 'none', kid })}.${claims}.${signature}`,
    'HS256 with the raw public key': hmac(Buffer.from(key.x, 'base64url')),
    'HS256 with the public key as text': hmac(key.x),
    'HS256 with the public key as PEM': hmac(publicKey.export({ type: 'spki', format: 'pem' })),
    'HS256 with the public key as JWK': hmac(JSON.stringify(key)),
    'HS256 with the public key as DER': hmac(publicKey.export({ type: 'spki', format: 'der' })),
  };
}
