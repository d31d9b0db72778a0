import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A server that listens. */
export interface Listening {
  /** `host:port` as it stands in a URL. */
  readonly address: string;
  /** Stops at once: whoever still waits for an answer, or has not finished the TLS handshake, is cut off. */
  close(): Promise<void>;
}

/** @throws Error with the code EADDRINUSE, and the `port`, when it is taken */
export async function listen(server: Server, host: string, port: number): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  const taken = server.address() as AddressInfo;
  const name = taken.address.includes(':') ? `[${taken.address}]` : taken.address;
  return {
    address: `${name}:${taken.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
