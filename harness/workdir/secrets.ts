/**
 * Keeps secrets out of everything that is written or printed: a Secret shows itself only when
 * asked by name, and `scrub` removes every known secret from a text, in all its spellings.
 */

const MASK = '[secret]';
/** Shorter ones would mask ordinary words; a token has 43 characters. */
const SECRET_LENGTH_MIN = 4;
const known = new Set<string>();

/** A value that prints as `[secret]` and is scrubbed from all output from the moment it exists. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
    if (value.length >= SECRET_LENGTH_MIN) {
      for (const spelling of spellings(value)) known.add(spelling);
    }
  }
  /** The secret itself; to be called only where it goes onto the wire. */
  reveal(): string {
    return this.#value;
  }
  /** Without revealing either. */
  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }
  toString(): string {
    return MASK;
  }
  toJSON(): string {
    return MASK;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}

function spellings(value: string): readonly string[] {
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    Buffer.from(value).toString('hex'),
  ];
}

/** The text without any known secret. Credentials in a URL (`user:password@`) go too. */
export function scrub(text: string): string {
  let clean = text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${MASK}@`);
  for (const secret of known) {
    if (clean.includes(secret)) clean = clean.split(secret).join(MASK);
  }
  return clean;
}
