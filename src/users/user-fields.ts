import type { User } from './directory.ts';

/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Control characters would reach headers and logs; lone surrogates have no UTF-8 form. */
const usernameForm = /^[^\p{Cc}\p{Cs}]{1,256}$/u;
/** E.164, the international number with its country code, at most 15 digits. */
const phoneForm = /^\+[1-9]\d{6,14}$/;

/**
 * What is wrong with the fields of a {@link User}, one sentence each, which names the field and never its value.
 * Fields of other names are not looked at.
 */
export function userFaults(fields: Fields): string[] {
  const { username, phone, locale } = fields;
  const faults: string[] = [];
  if (typeof username !== 'string' || !usernameForm.test(username)) {
    faults.push('username must be a string of 1 to 256 characters, none of them a control character');
  }
  if (typeof phone !== 'string' || !phoneForm.test(phone)) {
    faults.push('phone must be a number in E.164 form, like "+15550100100"');
  }
  if (locale !== undefined && !isLanguageTag(locale)) {
    faults.push('locale must be a BCP 47 language tag, like "de" or "pt-BR", or absent');
  }
  return faults;
}

/** 35 characters are enough for every tag in use (RFC 5646 §4.4.1). */
function isLanguageTag(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 35) return false;
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

/** The user in fields in which {@link userFaults} found nothing; other properties are left out. */
export function toUser(fields: Fields): User {
  const { username, phone, locale } = fields as { username: string; phone: string; locale?: string };
  return locale === undefined ? { username, phone } : { username, phone, locale };
}
