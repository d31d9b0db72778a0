import type { Test } from 'tap';
import { Agent, type Dispatcher, request } from 'undici';
import { type Phone, type PhoneOptions, startPhone } from '../../src/phone-simulator/phone.ts';

export interface Asked {
  readonly method?: Dispatcher.HttpMethod;
  readonly body?: string;
  /** `user:password`; the account of the path with a token when absent, none when null. */
  readonly credentials?: string | null;
  readonly type?: string;
}

export interface TestPhone {
  readonly phone: Phone;
  /** Sends a form (or with `type`, anything) to a path of the APIs. */
  ask(
    path: string,
    asked?: Asked,
  ): Promise<{ status: number; headers: Dispatcher.ResponseData['headers']; body: string }>;
}

/** The simulator, until the end of the test, and a client that trusts it. */
export async function startTestPhone(t: Test, options: PhoneOptions = {}): Promise<TestPhone> {
  const phone = await startPhone(options);
  const agent = new Agent({ connect: { ca: phone.ca } });
  t.teardown(async () => {
    await agent.destroy();
    await phone.close();
  });
  return {
    phone,
    async ask(path, { method = 'POST', body, credentials, type = 'application/x-www-form-urlencoded' } = {}) {
      const [, account = ''] = /Accounts?\/([^/]*)\//.exec(path) ?? [];
      const user = credentials === undefined ? `${account}:token` : credentials;
      const response = await request(`https://${phone.host}${path}`, {
        dispatcher: agent,
        method,
        headers: {
          'content-type': type,
          ...(user === null ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
        },
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.statusCode, headers: response.headers, body: await response.body.text() };
    },
  };
}
