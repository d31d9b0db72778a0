import { type Attack, expect, NotTried } from '../attack.ts';

/** Looks through everything that was answered, from the first request to the last, for what only the phone may know. */
export const toldSecrets: Attack = {
  name: 'secrets in answers',
  async run({ client, inbox, accounts }) {
    if (inbox.messages.length === 0) throw new NotTried('no code was sent that could be told');
    const told = client.told.join('\n');
    for (const { code, to } of inbox.messages) {
      // Beside digits or letters it would be part of something else: of a sealed value, or of a time.
      expect(!new RegExp(`(?<![\\w+/])${code}(?![\\w+/=])`).test(told), 'an answer has a code in it');
      expect(!told.includes(to.slice(1)), 'an answer has a whole phone number in it');
    }
    const passwords = accounts.filter(({ username, password }) => !username.includes(password));
    for (const { password } of passwords) expect(!told.includes(password), 'an answer has a password in it');
    return `none of ${inbox.messages.length} codes, and no whole number, is in ${client.requests} answers`;
  },
};
