import t from 'tap';
import { testApp } from '../support/build-app.ts';

const problem = 'application/problem+json';

t.test('an answer that is not as documented fails the test that saw it', async (t) => {
  const wrong: [string, string, { status: number; type?: string; body?: object; headers?: Record<string, string> }][] =
    [
      ['a status', '/session', { status: 402, type: problem, body: { status: 402, code: 'otp_used', title: 'x' } }],
      ['a code', '/session', { status: 401, type: problem, body: { status: 401, code: 'otp_used', title: 'x' } }],
      ['a media type', '/session', { status: 200, type: 'text/plain' }],
      ['a page', '/verifications', { status: 400, type: 'text/html' }],
      ['a member', '/healthz', { status: 200, body: { status: 'ok', since: 1 } }],
      ['a value', '/healthz', { status: 200, body: { status: 'well' } }],
      [
        'a member of a problem',
        '/session',
        { status: 401, type: problem, body: { status: 401, code: 'not_authenticated', title: 'x', user: 'alice' } },
      ],
      ['a header', '/healthz', { status: 200, body: { status: 'ok' }, headers: { 'retry-after': '1' } }],
      ['an address', '/nowhere', { status: 402 }],
      [
        'what is wrong with an address',
        '/nowhere',
        { status: 404, type: problem, body: { status: 404, code: 'otp_used', title: 'x' } },
      ],
    ];
  for (const [name, url, { status, type = 'application/json', body = {}, headers = {} }] of wrong) {
    const { app } = await testApp();
    app.addHook('onRequest', async (_request, reply) =>
      reply.code(status).headers(headers).type(type).send(JSON.stringify(body)),
    );
    const method = url === '/verifications' ? 'POST' : 'GET';
    await t.rejects(app.inject({ method, url }), { message: /^not documented: (GET|POST) \// }, name);
  }
});
