/** Random ids made by the browser: regions and idempotency keys. Touches the platform's random source only. */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"; // base32 of RFC 4648, lower case

/** A random word of base32 letters, 5 bits each. */
export function randomWord(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}

export function newRegionId(): string {
  return `r_${randomWord(16)}`;
}

/** One key a write; the server answers a repeated key with the first answer. */
export function newIdempotencyKey(): string {
  return randomWord(32);
}
