import t from 'tap';
import { errors } from 'undici';
import { networkError } from '../../src/delivery/network-error.ts';
import { leaks, number, patient } from './sender.contract.ts';

const withCode = (code: string) => Object.assign(new Error(`${code} while sending to ${number}`), { code });

t.test('every failure of the network is temporary, with a reason', async (t) => {
  for (const [error, reason] of [
    [withCode('ECONNREFUSED'), 'connection'],
    [withCode('ECONNRESET'), 'connection'],
    [withCode('ENOTFOUND'), 'connection'],
    [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate'],
    [withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'certificate'],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate'],
    [withCode('CERT_HAS_EXPIRED'), 'certificate'],
    [new errors.SocketError('other side closed'), 'connection'],
    [new Error('something'), 'connection'],
    ['a string', 'connection'],
    [withCode('ETIMEDOUT'), 'timeout'],
    [new errors.ConnectTimeoutError(), 'timeout'],
    [new errors.HeadersTimeoutError(), 'timeout'],
    [new errors.BodyTimeoutError(), 'timeout'],
    [new errors.ResponseExceededMaxSizeError(), 'bad_response'],
    [withCode('HPE_INVALID_CONSTANT'), 'bad_response'],
  ] as const) {
    const found = networkError(error, patient());
    t.match(found, { name: 'DeliveryError', kind: 'temporary', reason });
    t.notOk(leaks(found));
  }
});

t.test('a failure at a proxy has a reason of its own, and the provider accepted nothing', async (t) => {
  const refused = new errors.RequestAbortedError('Proxy response (407) !== 200 when HTTP Tunneling');
  t.match(networkError(refused, patient()), { reason: 'proxy', detail: 'http_407', maybeAccepted: false });
  t.equal(networkError(refused, AbortSignal.abort()).reason, 'timeout');
});

t.test('without a connection nothing was sent; after that, the outcome is unknown', async (t) => {
  const onSocket = (code: string, syscall: string) => Object.assign(withCode(code), { syscall });
  for (const [error, maybeAccepted] of [
    [withCode('ECONNREFUSED'), false],
    [withCode('ENOTFOUND'), false],
    [withCode('EAI_AGAIN'), false],
    [new errors.ConnectTimeoutError(), false],
    [onSocket('ETIMEDOUT', 'connect'), false],
    [Object.assign(new AggregateError([onSocket('EHOSTUNREACH', 'connect')]), { code: 'EHOSTUNREACH' }), false],
    [withCode('CERT_HAS_EXPIRED'), false],
    [onSocket('EHOSTUNREACH', 'read'), true],
    [withCode('ECONNRESET'), true],
    [withCode('EPIPE'), true],
    [new errors.SocketError('other side closed'), true],
    [new errors.HeadersTimeoutError(), true],
    [new errors.BodyTimeoutError(), true],
    [withCode('HPE_INVALID_CONSTANT'), true],
  ] as const) {
    t.equal(networkError(error, patient()).maybeAccepted, maybeAccepted, String(error));
  }
  t.equal(networkError(withCode('ECONNRESET'), AbortSignal.abort()).maybeAccepted, true);
});

t.test('the code of the error is kept for the log, and nothing else of it', async (t) => {
  t.equal(networkError(withCode('ECONNREFUSED'), patient()).detail, 'ECONNREFUSED');
  t.equal(networkError(new Error(`something about ${number}`), patient()).detail, undefined);
});

t.test('when the attempt was aborted, that is the reason', async (t) => {
  t.equal(networkError(withCode('ECONNRESET'), AbortSignal.abort()).reason, 'timeout');
});
