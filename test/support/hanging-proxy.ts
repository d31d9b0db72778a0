import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** A TCP proxy on loopback that can stop passing anything on, and take connections without ever answering. */
export interface HangingProxy {
  readonly port: number;
  /** How many times something came from the client: with pipelined commands, the number of round trips. */
  trips(): number;
  /** How many connections were opened. */
  connections(): number;
  hang(): void;
  resume(): void;
  /** Ends each connection that now stands when its next answer comes, and keeps the answer to itself. */
  cut(): void;
}

export async function startHangingProxy(t: Test, targetPort: number): Promise<HangingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let hanging = false;
  let trips = 0;
  let connections = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(targetPort, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.on('data', () => {
      trips += 1;
    });
    near.pipe(far).pipe(near);
    if (hanging) pause(pair);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
    server.close();
  });
  const pause = ([near, far]: readonly [Socket, Socket]) => {
    near.unpipe(far);
    far.unpipe(near);
    near.pause();
    far.pause();
  };
  return {
    port: (server.address() as AddressInfo).port,
    trips: () => trips,
    connections: () => connections,
    hang() {
      hanging = true;
      for (const pair of pairs) pause(pair);
    },
    resume() {
      hanging = false;
      for (const [near, far] of pairs) near.pipe(far).pipe(near);
    },
    cut() {
      for (const [near, far] of pairs) {
        far.unpipe(near);
        far.once('data', () => near.destroy()).resume();
      }
    },
  };
}
