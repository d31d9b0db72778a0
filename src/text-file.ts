/** A file whose bytes are not plain UTF-8 text. The message completes "NAME: …" and quotes nothing of the file. */
export class TextFileError extends Error {
  override readonly name = 'TextFileError';
}

/**
 * Decodes a text file that a person or a tool wrote: UTF-8, with or without a byte-order mark, which is removed.
 *
 * Everything else is refused, because a lenient decoder replaces or drops what it cannot read, and the service would
 * then run with a part of the file. UTF-16 is what Windows PowerShell 5 and some editors write.
 *
 * @throws TextFileError that names the encoding that was found and the one that is needed
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // UTF-16 without a byte-order mark, and UTF-32, have a zero byte in each ASCII character.
  if (isUtf16 || bytes.includes(0)) throw new TextFileError('is UTF-16 or binary; save it as UTF-8');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TextFileError('is not valid UTF-8 (perhaps Latin-1 or Windows-1252); save it as UTF-8');
  }
}
