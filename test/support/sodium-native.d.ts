/** The part of libsodium's secretbox that tests use; the package brings no types. */
declare module 'sodium-native' {
  const sodium: {
    readonly crypto_secretbox_NONCEBYTES: number;
    readonly crypto_secretbox_MACBYTES: number;
    crypto_secretbox_easy(cipher: Buffer, message: Buffer, nonce: Buffer, key: Buffer): void;
  };
  export default sodium;
}
