/** What gateways write, and programs behind them believe: here by somebody who is no gateway. */
export function spoofedAddress(index: number): Record<string, string> {
  const address = `203.0.113.${1 + (index % 250)}`;
  return {
    'x-forwarded-for': address,
    forwarded: `for=${address}`,
    'x-real-ip': address,
    'x-client-ip': address,
    'true-client-ip': address,
    'cf-connecting-ip': address,
  };
}

/** Of no deployment (RFC 2606). */
export const FALSE_HOST = 'evil.example';

/** A host that is not ours, in every header that has one but Host itself. */
export const spoofedHost = (host: string): Record<string, string> => ({
  'x-forwarded-host': host,
  'x-original-host': host,
  'x-host': host,
  'x-forwarded-server': host,
});
