import { traceHeaders } from '../trace.ts';
import { createCompatibilityHttp, type SdkRequest } from './compatibility-http.ts';
import { loadSdk, type Sdk, type SdkClient } from './compatibility-sdk.ts';
import type { Reach } from './http-agent.ts';
import { providerOrigin } from './provider-http.ts';
import { asDeliveryError, type Message, type Receipt, type Sender } from './sender.ts';
import { voiceDialect } from './voice.ts';

export interface CompatibilitySenderOptions extends Reach {
  /** SignalWire speaks Twilio's API: the two differ in host and credentials only. */
  readonly name: 'signalwire' | 'twilio';
  /** Full host name, a port allowed: `example.signalwire.com`, `api.twilio.com`, `127.0.0.1:8443`. */
  readonly host: string;
  /** Project id (SignalWire) or account SID (Twilio). */
  readonly account: string;
  readonly token: string;
  /** The number that messages and calls come from, E.164. */
  readonly from: string;
  /** Where the provider posts what became of messages and calls; nowhere when absent. */
  readonly receiptUrl?: string;
  /** For tests. */
  readonly load?: () => Promise<Sdk>;
}

export interface CompatibilitySender extends Sender {
  /** Resolves when the SDK is loaded. `send` waits for it by itself; rejects when the package is not there. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Sends by SignalWire or Twilio. Text messages go out as they are; a call speaks the text from instructions that
 * travel within the request (`Twiml`), so there is no public URL to fetch them from, and no code in one.
 *
 * Begins to load the SDK at once, in the background.
 *
 * @throws Error when `host` is not a host name with or without a port
 */
export function createCompatibilitySender(options: CompatibilitySenderOptions): CompatibilitySender {
  const { name, host, account, token, from, receiptUrl, connect, proxies, load = loadSdk } = options;
  const receipts = receiptUrl === undefined ? {} : { statusCallback: receiptUrl };
  const http = createCompatibilityHttp(providerOrigin(name, host), { connect, proxies });
  const loading = load();

  const prepared = loading.then(({ RestClient }) => ({
    sms: prepare(RestClient, ({ messages }) => messages.create({ to: '', from, body: '', ...receipts })),
    voice: prepare(RestClient, ({ calls }) => calls.create({ to: '', from, twiml: '', ...receipts })),
    say: (locale: string, text: string) => {
      const response = new RestClient.LaML.VoiceResponse();
      response.say({ language: voiceDialect(locale) }, text);
      return response.toString();
    },
  }));
  // A failure is told by `send` and `ready`; without this it would end the process before anyone asks.
  prepared.catch(() => {});

  /**
   * Has the SDK write a request without sending it. What it writes differs from message to message in the number and
   * the words only, so once is enough: it takes the SDK as long as the whole exchange takes on a short line, and a
   * client of its own for each message would be the only way to hand a signal through it.
   */
  function prepare(RestClient: Sdk['RestClient'], create: (client: SdkClient) => unknown): SdkRequest {
    let written: SdkRequest | undefined;
    const httpClient = {
      request(request: SdkRequest) {
        written = request;
        return new Promise<never>(() => {});
      },
    };
    create(RestClient(account, token, { signalwireSpaceUrl: host, httpClient, lazyLoading: true, env: {} }));
    if (written === undefined) throw new Error('the SDK wrote no request');
    return written;
  }

  async function create({ channel, to, text, locale, trace }: Message, signal: AbortSignal): Promise<Receipt> {
    const { sms, voice, say } = await prepared;
    const request =
      channel === 'sms'
        ? { ...sms, data: { ...sms.data, To: to, Body: text } }
        : { ...voice, data: { ...voice.data, To: to, Twiml: say(locale, text) } };
    const headers = { ...request.headers, ...traceHeaders(trace) };
    const { body } = await http.request({ ...request, headers }, signal);
    return { sender: name, id: body.sid };
  }

  return {
    name,
    channels: ['sms', 'voice'],
    async send(message, signal) {
      try {
        return await create(message, signal);
      } catch (error) {
        // Whatever else the SDK throws may quote what we gave it.
        throw asDeliveryError(error);
      }
    },
    async ready() {
      await prepared;
    },
    close: () => http.close(),
  };
}
