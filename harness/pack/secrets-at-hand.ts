/**
 * Makes known every secret that this machine has of a stored run: by environment, by options, by the lab file that it
 * named. Who packs on another machine has none of them; what looks like a secret is masked all the same.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { labFilePath } from '../options/config.ts';
import type { Environment, Given } from '../options/given.ts';
import { parseToml } from '../options/toml-reader.ts';
import type { StoredReport } from '../stored/stored-report.ts';
import { Secret } from '../workdir/secrets.ts';

const SECRET_OPTIONS = ['xo-token', 'xo-password', 'ssh-passphrase'];
const FILE_OPTIONS = ['xo-token-file', 'xo-password-file', 'ssh-passphrase-file', 'ssh-key', 'ssh-jump-key'];
const FILE_KEYS = /^(?:token_file|password_file|passphrase_file|key)$/;
const SECRET_NAMES = /(?:TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|API_?KEY)$/i;
/** A shorter value of a variable that we know nothing of is an ordinary word, most likely. */
const LENGTH_MIN = 8;
/** Of a private key: its header says which kind it is, and no more. */
const KEY_LINE_MIN = 32;

/** @returns what could not be looked into, one sentence each */
export function learnSecrets(report: StoredReport, given: Given, environment: Environment): readonly string[] {
  for (const name of SECRET_OPTIONS) {
    const value = given.value(name);
    if (value !== null) learn(value.text);
  }
  learnEnvironment(environment);
  const { options = {}, folder = process.cwd(), labFile = null } = report.asked ?? {};
  const named = FILE_OPTIONS.flatMap((name) => {
    const [own, then] = [given.value(name)?.text, options[name]];
    return [
      ...(own === undefined ? [] : [absolute(own, process.cwd())]),
      ...(then === undefined ? [] : [absolute(then, folder)]),
    ];
  });
  const ownLab = given.value('lab')?.text;
  const labFiles = [...(ownLab === undefined || ownLab === 'embedded' ? [] : [labFilePath(ownLab)]), labFile];
  const known = labFiles.filter((path) => path !== null);
  return [...known.flatMap(learnLabFile), ...named.flatMap(learnFile)];
}

const absolute = (path: string, folder: string): string => resolve(folder, path.replace(/^~(?=\/)/, homedir()));

/** A Secret is scrubbed from all that is written from the moment it exists. */
function learn(value: string): void {
  new Secret(value);
}

function learnEnvironment(environment: Environment): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value.length < LENGTH_MIN) continue;
    if (SECRET_NAMES.test(name)) learn(value);
    const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:([^\s@]+)@/i.exec(value) ?? [];
    if (password !== undefined && password.length >= LENGTH_MIN) learn(password);
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // said by the caller: on another machine it is not there
  }
}

/** The one line of a token or password, or each line of a key. */
function learnFile(path: string): readonly string[] {
  const text = read(path);
  if (text === null) return [`${path} cannot be read here: its secret is masked only where it looks like one`];
  if (!text.includes('PRIVATE KEY')) {
    learn(text.replace(/\r?\n$/, ''));
    return [];
  }
  const lines = text.split(/\r?\n/).filter((line) => line.length >= KEY_LINE_MIN && !line.startsWith('-----'));
  lines.forEach(learn);
  return [];
}

/** Also one that is not valid any more: what it names is looked for, what it holds is not judged. */
function learnLabFile(path: string): readonly string[] {
  const text = read(path);
  if (text === null)
    return [`${path} cannot be read here: secrets that it names are masked only where they look like one`];
  let table: unknown;
  try {
    table = parseToml(path, text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [`${path} is no lab file any more: secrets that it names are masked only where they look like one`];
  }
  return learnTable(table, path);
}

function learnTable(table: unknown, path: string): readonly string[] {
  if (typeof table !== 'object' || table === null) return [];
  return Object.entries(table).flatMap(([key, value]) => {
    if (typeof value !== 'string') return learnTable(value, path);
    if (FILE_KEYS.test(key)) return learnFile(absolute(value, dirname(path)));
    if (SECRET_NAMES.test(key)) learn(value);
    return [];
  });
}
