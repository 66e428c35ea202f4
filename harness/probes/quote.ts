/** Turns a string into one word of POSIX sh: scenario data reach a script in no other way. */

/** @throws TypeError for a NUL byte, which no sh word can hold. */
export function quote(value: string): string {
  if (value.includes('\0')) throw new TypeError(`a shell word cannot hold a NUL byte: ${JSON.stringify(value)}`);
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

/** Several words, for `for x in …`. An empty list gives an empty string, which `for` accepts. */
export function words(values: readonly string[]): string {
  return values.map(quote).join(' ');
}
