import { randomBytes } from 'node:crypto';

/** The settings of a service in production that is only asked for what needs no message and no user directory. */
export function productionEnv(port, key = randomBytes(32)) {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    ORIGIN: 'https://login.example.com',
    SESSION_KEYS: key.toString('base64'),
    USERS_URL: 'http://127.0.0.1:9/',
    USERS_TOKEN: 'never asked',
    WEBHOOK_URL: 'http://127.0.0.1:9/',
    WEBHOOK_SECRET: 'never signed with',
    // Codes that are made before a round are still good at its end.
    OTP_TTL: '600',
    LOG_LEVEL: 'warn',
  };
}
