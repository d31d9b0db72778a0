import type { Created, SdkRequest, SdkResponse } from './compatibility-http.ts';

/** One account at one host: the part of the SDK's client that we call. */
export interface SdkClient {
  readonly messages: {
    create(fields: { to: string; from: string; body: string; statusCallback?: string }): PromiseLike<Created>;
  };
  readonly calls: {
    create(fields: { to: string; from: string; twiml: string; statusCallback?: string }): PromiseLike<Created>;
  };
}

export interface SdkOptions {
  readonly signalwireSpaceUrl: string;
  readonly httpClient: { request(request: SdkRequest): Promise<SdkResponse> };
  /** Makes only the parts that are used: 7 µs a client, in place of 5 ms. */
  readonly lazyLoading: true;
  /** Where the SDK looks for TWILIO_ACCOUNT_SID, _EDGE, _REGION and _LOG_LEVEL; empty keeps them out. */
  readonly env: Readonly<Record<string, never>>;
}

/** `@signalwire/compatibility-api` 3.2. Its package.json hides its types from ESM, so these are our own. */
export interface Sdk {
  readonly RestClient: {
    (account: string, token: string, options: SdkOptions): SdkClient;
    readonly LaML: {
      readonly VoiceResponse: new () => {
        say(attributes: { language: string }, text: string): unknown;
        toString(): string;
      };
    };
  };
}

/**
 * Loads the SDK: 0.4 s of work and 31 MB, hence not at the top of a module. What it builds on first use it builds now,
 * so that the first user does not wait for it.
 */
export async function loadSdk(): Promise<Sdk> {
  // @ts-expect-error: "exports" without "types"
  const sdk = (await import('@signalwire/compatibility-api')) as Sdk;
  void sdk.RestClient.LaML.VoiceResponse;
  return sdk;
}
