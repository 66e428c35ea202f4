/** Version of the package; read at the start, when files can be opened. */
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const VERSION = String((JSON.parse(text) as { version?: unknown }).version);

export const version = (): string => VERSION;
