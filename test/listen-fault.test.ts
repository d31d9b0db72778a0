import t from 'tap';
import { listenFault } from '../src/listen-fault.ts';

t.test('a failure to listen names the setting to change', async (t) => {
  const table: [code: string | undefined, message: string][] = [
    ['EADDRINUSE', 'PORT: 3000 is taken (EADDRINUSE)'],
    ['EACCES', 'PORT: 3000 may not be listened on by this user (EACCES)'],
    ['EADDRNOTAVAIL', 'HOST: nope.example is no address of this machine (EADDRNOTAVAIL)'],
    ['ENOTFOUND', 'HOST: nope.example cannot be resolved to an address (ENOTFOUND)'],
    ['EAI_AGAIN', 'HOST: nope.example cannot be resolved to an address now (EAI_AGAIN)'],
    ['EAFNOSUPPORT', 'HOST: nope.example is of a family of addresses that this machine does not have (EAFNOSUPPORT)'],
    ['EINVAL', 'HOST: nope.example is no address or host name (EINVAL)'],
    ['EMFILE', 'HOST, PORT: cannot listen on nope.example, port 3000 (EMFILE)'],
    [undefined, 'HOST, PORT: cannot listen on nope.example, port 3000 (Error)'],
  ];
  for (const [code, message] of table) {
    const error = Object.assign(new Error('too bad'), code === undefined ? {} : { code });
    const fault = listenFault(error, { host: 'nope.example', port: 3000 });
    t.equal(fault.name, 'ConfigError', 'exit code 78');
    t.strictSame(fault.faults, [message]);
  }
});
