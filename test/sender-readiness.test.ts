import t from 'tap';
import type { Sender } from '../src/delivery/sender.ts';
import { silentLog } from '../src/log.ts';
import { deliveryReadiness, leftOut, watchSenders } from '../src/sender-readiness.ts';

function sender(name: string, ready?: Promise<void>): Sender {
  const send = async () => ({ sender: name });
  return { name, channels: ['sms'], send, ...(ready === undefined ? {} : { ready: () => ready }) };
}

/** A promise that is settled from outside. */
function loading() {
  let settle = (_error?: Error) => {};
  const ready = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { ready, settle };
}

const turn = () => new Promise(setImmediate);

t.test('delivery is ready once the number tables are there, and then as ready as its senders', async (t) => {
  const tables = loading();
  let state: string | null = null;
  const check = deliveryReadiness(
    () => tables.ready,
    () => state,
  );
  let told: string | null | undefined;
  const answer = Promise.resolve(check()).then((result) => {
    told = result;
  });
  await turn();
  t.equal(told, undefined, 'it waits');
  tables.settle();
  await answer;
  t.equal(told, null);
  state = 'signalwire is loading';
  t.equal(await check(), 'signalwire is loading');
});

t.test('number tables that cannot be loaded are told', async (t) => {
  const check = deliveryReadiness(
    () => Promise.reject(new Error('no such file')),
    () => null,
  );
  t.equal(await check(), 'number tables cannot be loaded');
});

t.test('senders that have nothing to load are ready at once', async (t) => {
  const { check, warnings } = watchSenders([sender('webhook'), sender('console')], silentLog);
  t.equal(check(), null);
  t.strictSame(warnings(), []);
});

t.test('the only sender is waited for', async (t) => {
  const { ready, settle } = loading();
  const { check, warnings } = watchSenders([sender('signalwire', ready)], silentLog);
  t.equal(check(), 'signalwire is loading');
  t.strictSame(warnings(), [], 'it is told once');
  settle();
  await turn();
  t.equal(check(), null);
});

t.test('one that cannot be loaded is a warning while another can do its work', async (t) => {
  const { ready, settle } = loading();
  const told: object[] = [];
  const log = { ...silentLog, error: (fields: object) => void told.push(fields) };
  const { check, warnings } = watchSenders([sender('signalwire', ready), sender('webhook')], log);
  t.equal(check(), null);
  t.strictSame(warnings(), ['signalwire is loading']);
  settle(new Error('gone'));
  await turn();
  t.equal(check(), null);
  t.strictSame(warnings(), ['signalwire cannot be loaded']);
  t.match(told, [{ sender: 'signalwire', err: { message: 'gone' } }]);
});

t.test('without any usable sender it is not ready', async (t) => {
  const { check, warnings } = watchSenders(
    [sender('signalwire', Promise.reject(new Error('gone'))), sender('other', Promise.reject(new Error('gone')))],
    silentLog,
  );
  await turn();
  t.equal(check(), 'signalwire cannot be loaded, other cannot be loaded');
  t.strictSame(warnings(), []);
});

t.test('senders that are left out are named', async (t) => {
  t.strictSame(leftOut({ a: 'closed', b: 'open', c: 'half_open' }), [
    'b is failing and is left out for a while',
    'c is failing and is left out for a while',
  ]);
});
