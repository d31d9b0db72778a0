import t from 'tap';
import type { SdkRequest } from '../../src/delivery/compatibility-http.ts';
import { loadSdk } from '../../src/delivery/compatibility-sdk.ts';

t.test('the SDK is what our types say it is', async (t) => {
  const { RestClient } = await loadSdk();
  const requests: object[] = [];
  const client = RestClient('project', 'token', {
    signalwireSpaceUrl: 'example.signalwire.com',
    httpClient: {
      request: async (request) => {
        requests.push(request);
        return { statusCode: 201, body: { sid: 'id-1' } };
      },
    },
    lazyLoading: true,
    env: {},
  });
  t.match(await client.messages.create({ to: '+2', from: '+1', body: 'words' }), { sid: 'id-1' });
  t.match(await client.calls.create({ to: '+2', from: '+1', twiml: '<Response/>' }), { sid: 'id-1' });
  t.match(requests, [
    {
      method: 'POST',
      uri: 'https://example.signalwire.com/2010-04-01/Accounts/project/Messages.json',
      username: 'project',
      password: 'token',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      data: { To: '+2', From: '+1', Body: 'words' },
    },
    { uri: 'https://example.signalwire.com/2010-04-01/Accounts/project/Calls.json', data: { Twiml: '<Response/>' } },
  ]);
  const response = new RestClient.LaML.VoiceResponse();
  response.say({ language: 'en-US' }, 'one < two');
  t.match(response.toString(), '<Say language="en-US">one &lt; two</Say>');
});

t.test('with an empty environment, TWILIO_REGION and its like do not move the host', async (t) => {
  t.intercept(process, 'env', { value: { ...process.env, TWILIO_REGION: 'au1', TWILIO_LOG_LEVEL: 'debug' } });
  const { RestClient } = await loadSdk();
  const httpClient = {
    request: async (request: SdkRequest) => {
      t.match(request, { uri: /^https:\/\/example\.signalwire\.com\//, logLevel: undefined });
      return { statusCode: 201, body: { sid: 'id-1' } };
    },
  };
  const options = { signalwireSpaceUrl: 'example.signalwire.com', httpClient, lazyLoading: true, env: {} } as const;
  await RestClient('project', 'token', options).messages.create({ to: '+2', from: '+1', body: 'words' });
});

t.test('it is loaded once', async (t) => {
  t.equal((await loadSdk()).RestClient, (await loadSdk()).RestClient);
});
