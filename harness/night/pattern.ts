/** Patterns over names, as people write them. */

/** Does a text fit a pattern in which `*` stands for anything, also nothing, and `?` for one character? */
export function fits(pattern: string, text: string): boolean {
  const body = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${body}$`, 's').test(text);
}
