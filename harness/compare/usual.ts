/** What differs between any two runs, taken out of a text before it is compared. Pure. */

const USUAL: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/gi, '<mac>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, '<time>'],
  // Seconds since 1970, between 2017 and 2033.
  [/\b1[5-9]\d{8}\b/g, '<time>'],
  [/\b\d{1,3}(\.\d{1,3}){3}\b/g, '<address>'],
];

/** Facts that are others in every boot; what the identities say of the image stands in the section of the image. */
const VOLATILE =
  /(^|[._])(uptime|pid|pids|pid_file_content|pid_alive|boot_id|elapsed|age)(@boot\d+)?$|^(guest|image)-identity\./;

export const withoutUsual = (text: string): string =>
  USUAL.reduce((rest, [pattern, word]) => rest.replace(pattern, word), text);

/** @param name of a fact */
export const isVolatile = (name: string): boolean => VOLATILE.test(name);

const STAMP = /^(<\d+>)?\[\s*\d+\.\d{6}\]\s?/;

/** How two lines of a console are compared: without the kernel's clock. */
export const consoleKey = (line: string): string => withoutUsual(line.replace(STAMP, ''));
