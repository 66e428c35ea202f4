/** Console text as it stands on a screen: without what moves a terminal about and colours it. Pure. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of terminals begin with one.
const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[()][0-9A-B]|[=>78cDEHM])/g;

export const withoutTerminal = (text: string): string => text.replace(TERMINAL, '');

/** Its lines; empty ones, and what was written over, are left out. */
export function consoleLines(text: string): readonly string[] {
  const lines = withoutTerminal(text).split(/\r*\n/);
  return lines.map((line) => line.slice(line.lastIndexOf('\r') + 1).trimEnd()).filter((line) => line !== '');
}
