import type { AppPorts } from '../../src/app.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { makeApiKey } from '../../src/verifications/api-keys.ts';
import { seededRandom, type TestAppOptions, testApp } from './build-app.ts';

export const SHOP = makeApiKey('shop', seededRandom('shop'));
export const NEW_SHOP = makeApiKey('shop', seededRandom('new shop'));
export const BANK = makeApiKey('bank', seededRandom('bank'));
/** Over since the clock of the tests began. */
export const OLD = makeApiKey('old', seededRandom('old'), '2029-12-31');
export const NUMBER = '+15550100101';
/** Settings that make a test number. */
export const TEST_NUMBER = { TEST_NUMBERS: '+15550100001:123456', TEST_NUMBERS_UNTIL: '2030-01-01' };

const API_KEYS = [SHOP, NEW_SHOP, BANK, OLD].map(({ entry }) => entry).join();
const keys = deriveKeys([Buffer.alloc(32, 1)]);

/** A service with API keys, and the calls of the server that uses it: the shop, unless another key is told. */
export async function verificationApi(options: TestAppOptions = {}) {
  const app = await testApp({
    ...options,
    env: { API_KEYS, ...options.env },
    ports: { keys, ...options.ports } as Partial<AppPorts>,
  });
  const call = (path: string, body: object, key = SHOP.key) =>
    app.post(`/verifications${path}`, body, undefined, { authorization: `Bearer ${key}` });
  const ask = async (body: object = {}, key?: string) => {
    const response = await call('', { to: NUMBER, ...body }, key);
    return { response, id: response.json().id as string, code: app.messages.at(-1)?.code ?? '' };
  };
  const check = (id: string, code: string, more: object = {}, key?: string) =>
    call('/check', { id, code, ...more }, key);
  return { ...app, call, ask, check };
}
