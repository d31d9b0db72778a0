import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** A server on loopback with the replies of Redis 6: as much as the client of the limits needs. */
export interface OldRedis {
  readonly url: string;
  /** Makes the server of the connections that are open a replica. New connections lead to the new primary. */
  failOver(): void;
  /** How many connections were opened. */
  connections(): number;
}

export interface OldRedisOptions {
  readonly password?: string;
  /** Is called after each reply, which the client has not read yet. */
  readonly onReply?: () => void;
}

interface Connection {
  readonly socket: Socket;
  isReplica: boolean;
  isAuthenticated: boolean;
}

const WRONG_PASSWORD = '-WRONGPASS invalid username-password pair or user is disabled.';
const NOT_ALLOWED = "-READONLY You can't write against a read only replica.";

/**
 * Starts it. The texts of errors are those of Redis 6.2: `networking.c`, `acl.c`, `scripting.c`, `server.c`.
 * Scripts are not run: each counts the event of its key.
 */
export async function startOldRedis(
  t: Test,
  { password, onReply = () => {} }: OldRedisOptions = {},
): Promise<OldRedis> {
  const connections: Connection[] = [];
  const counts = new Map<string, number>();

  function answer(args: string[], connection: Connection): string {
    const [name = '', first = '', ...rest] = args;
    const command = name.toLowerCase();
    if (!connection.isAuthenticated && !['hello', 'auth'].includes(command)) return '-NOAUTH Authentication required.';
    switch (command) {
      case 'hello': {
        const given = rest[0]?.toLowerCase() === 'auth' ? rest[2] : undefined;
        if (password !== undefined && given === undefined) {
          return '-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';
        }
        if (password !== undefined && password !== given) return WRONG_PASSWORD;
        connection.isAuthenticated = true;
        return '%1\r\n$5\r\nproto\r\n:3';
      }
      case 'auth':
        if (password === undefined) return '-ERR Client sent AUTH, but no password is set';
        if ((rest[0] ?? first) !== password) return WRONG_PASSWORD;
        connection.isAuthenticated = true;
        return '+OK';
      case 'client':
        return first.toLowerCase() === 'setname'
          ? '+OK'
          : `-ERR Unknown subcommand or wrong number of arguments for '${first}'. Try CLIENT HELP.`;
      case 'info': {
        const text = `loading:0\r\nrole:${connection.isReplica ? 'slave' : 'master'}\r\nmaxmemory_policy:noeviction\r\n`;
        return `$${text.length}\r\n${text}`;
      }
      case 'eval':
      case 'evalsha': {
        const key = rest[1] ?? '';
        if (connection.isReplica) {
          return `-ERR Error running script (call to f_${'0'.repeat(40)}): @user_script:7: @user_script: 7: ${NOT_ALLOWED} `;
        }
        // The script that agrees on the hash key: the caller's key is stored.
        if (key.startsWith('doorcode:{key}:')) return '*1\r\n$4\r\nours';
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return `*2\r\n:${counts.get(key)}\r\n:${Date.now() + 60_000}`;
      }
      default:
        return `-ERR unknown command \`${name}\`, with args beginning with: `;
    }
  }

  const server = createServer((socket) => {
    const connection = { socket, isReplica: false, isAuthenticated: password === undefined };
    connections.push(connection);
    let pending = '';
    socket.setEncoding('latin1').on('error', () => {});
    socket.on('data', (text: string) => {
      pending += text;
      for (let command = takeCommand(pending); command !== null; command = takeCommand(pending)) {
        pending = pending.slice(command.length);
        socket.write(`${answer(command.args, connection)}\r\n`);
        onReply();
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failOver() {
      for (const connection of connections) connection.isReplica = true;
      counts.clear();
    },
    connections: () => connections.length,
  };
}

/** Reads a command, an array of bulk strings in RESP. @returns null when it is not complete */
function takeCommand(text: string): { readonly args: string[]; readonly length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  const args: string[] = [];
  let at = head[0].length;
  while (args.length < Number(head[1])) {
    const bulk = /^\$(\d+)\r\n/.exec(text.slice(at, at + 16));
    if (bulk === null) return null;
    const start = at + bulk[0].length;
    at = start + Number(bulk[1]) + 2;
    if (at > text.length) return null;
    args.push(text.slice(start, at - 2));
  }
  return { args, length: at };
}
