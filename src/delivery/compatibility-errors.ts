import { DeliveryError } from './sender.ts';

// Sources: twilio.com/docs/api/errors; developer.signalwire.com/rest/compatibility-api/overview/error-codes. Twilio
// advises against leaning on codes, so what is not listed falls back on the HTTP status.

/** The number itself cannot be reached. */
const numberCodes = new Set([
  21211, // 'To' is not a valid number
  21214, // 'To' cannot be reached (voice)
  21217, // 'To' is not a valid number (voice; SignalWire: SMS as well)
  21610, // the recipient has opted out
  21614, // 'To' is not a mobile number
  21635, // 'To' is a landline
]);

/** The fault is in our account or settings: another sender may do, and the user can do nothing about it. */
const ownCodes = new Map([
  [20003, 'credentials'], // authentication failed
  [21210, 'sender_number'], // 'From' is not verified
  [21212, 'sender_number'], // 'From' is not valid (ours is checked; 'To' is E.164 before it comes here)
  [21601, 'sender_number'], // 'From' cannot send SMS
  [21603, 'sender_number'], // 'From' is missing
  [21606, 'sender_number'], // 'From' is not ours, or not for this destination
  [21611, 'sender_number'], // 'From' has its queue full
  [21659, 'sender_number'], // 'From' is not one of the provider's numbers
  [21717, 'sender_number'], // 'From' belongs to no campaign (US)
  [21219, 'account'], // trial account, 'To' not verified
  [21608, 'account'], // the same, Twilio's SMS
  [21215, 'account'], // this country is not enabled for calls
  [21408, 'account'], // this country is not enabled for SMS
  [4001, 'account'], // SignalWire: costs more than what is left of the balance
  [10000, 'request'], // SignalWire: an argument is not valid; numbers have codes of their own
  [10001, 'account'], // SignalWire: not enabled on this space
  [21612, 'route'], // no way from this 'From' to this 'To'
]);

/**
 * What an answer other than 2xx means. Only the status and the numeric code are looked at: the provider's message
 * often quotes the phone number, and must not travel on.
 *
 * @param status HTTP status
 * @param body the parsed JSON, or null when it was none
 */
export function rejectionOf(status: number, body: object | null): DeliveryError {
  const code = body && 'code' in body ? Number(body.code) : Number.NaN;
  if (status >= 400 && status < 500) {
    if (numberCodes.has(code)) return new DeliveryError('permanent', 'number');
    const own = ownCodes.get(code);
    if (own) return new DeliveryError('temporary', own);
  }
  if (status === 401 || status === 403) return new DeliveryError('temporary', 'credentials');
  // The request could be read, but not be carried out: with our own faults listed above, that leaves the number. A
  // 400 or 404 without a code that we know is more likely our own mistake (a 404: no such project, or host): telling
  // every user "this number cannot be reached" and skipping the other senders would make it worse.
  if (status === 422) return new DeliveryError('permanent', 'number');
  return new DeliveryError('temporary', `http_${status}`);
}
