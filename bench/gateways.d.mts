export type GatewayName = 'nginx' | 'haproxy' | 'caddy';

export interface GatewayOptions {
  readonly port: number;
  readonly replicas: readonly [string, string];
  readonly app: string;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly patient?: boolean;
  readonly changes?: readonly (readonly [from: string, to: string])[];
}

export interface RunningGateway {
  stop(): Promise<void>;
  output(): string;
}

export function freePort(): Promise<number>;

export function startGateway(name: GatewayName, program: string, options: GatewayOptions): Promise<RunningGateway>;
