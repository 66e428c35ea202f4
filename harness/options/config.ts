/**
 * Arguments and environment in, a Request out: everything the caller decided, validated in one
 * place before anything is created. The only reader of process.env in the harness.
 */
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { makeCacheDir } from '../workdir/make-folder.ts';
import { Secret } from '../workdir/secrets.ts';
import { ALL_OPTIONS } from './command-options.ts';
import { refuseForEmbedded } from './contradictions.ts';
import { bad, type Environment, Given, path } from './given.ts';
import { type HistoryWish, historyWish } from './history-wish.ts';
import { type Keeping, keepingOf } from './keep-options.ts';
import { OPTIONS } from './options.ts';
import { type OutputFiles, outputFiles } from './output-files.ts';
import type { Override, Overrides } from './toml-reader.ts';

/** How often a guest may be booted in one case. */
export const BOOTS_MAX = 9;

/** Which lab the caller named. `from-options`: no file, but a URL. */
export type LabChoice =
  | { readonly kind: 'embedded'; readonly named: boolean }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'from-options' };

/** What the caller asked for; null where nothing was said and a default of the lab file may apply. */
export interface Request extends HistoryWish, Keeping {
  readonly lab: LabChoice;
  readonly imagePath: string | null;
  readonly expectClosure: string | null;
  readonly sshKeyPath: string | null;
  /** `none`: the caller wants no control even where the lab file names one. */
  readonly control: string | 'none' | null;
  readonly readBack: 'auto' | 'always';
  /** `on`: a lab without a cache is a mistake; null: as the lab file says. */
  readonly cache: 'on' | 'off' | null;
  readonly budgetScale: number | null;
  /** Where the report goes besides the workdir. */
  readonly outputs: OutputFiles;
  /** Null: as the lab file or the scenario says. */
  readonly boots: number | null;
  /** Seconds for the whole case, clean-up included; null: as the budgets say. */
  readonly timeLimitS: number | null;
  readonly workdirRoot: string;
  readonly label: string | null;
  readonly xoUrl: string | null;
  readonly xoToken: Secret | null;
  readonly xoPassword: Secret | null;
  readonly sshPassphrase: Secret | null;
  /** Socket of the user's SSH agent. */
  readonly sshAuthSock: string | null;
  /** What was given for keys of the lab file, checked when the file is read. */
  readonly overrides: Overrides;
  readonly cacheDir: string;
  /** Environment for a child process: without our secrets and without a test runner's loader. */
  readonly childEnvironment: Readonly<Record<string, string>>;
  /** Everything that was given by name, secrets left out. */
  readonly options: Readonly<Record<string, string>>;
  /** Options that came as variables, secrets left out: part of the command that runs this again. */
  readonly variables: Readonly<Record<string, string>>;
  /** Flags that say which lab is meant: part of the command that sweeps it. */
  readonly labArguments: readonly string[];
}

/** Keys and agents that the caller has at hand. */
export type GivenProof = Pick<Request, 'sshKeyPath' | 'sshPassphrase' | 'sshAuthSock'>;

export type Asked = { readonly print: 'help' | 'version' } | { readonly request: Request };

/** The environment of this process, for whoever reads it through here. */
export const ownEnvironment = (): Environment => process.env;

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT, LAB_NOT_NAMED, BAD_URL; one sentence each. */
export function readRequest(args: readonly string[], environment: Environment = process.env): Asked {
  const given = new Given(OPTIONS, args, environment);
  if (given.print !== null) return { print: given.print };
  given.refuseUnknownVariables(ALL_OPTIONS);
  const request = requestOf(given, environment);
  refuseForEmbedded(request);
  return { request };
}

/** What a command was asked for; null for what it has no option of. @throws Fault as `readRequest` */
export function requestOf(given: Given, environment: Environment): Request {
  const value = (name: string): Override | null => given.value(name);
  const xoUrl = value('xo-url');
  return {
    lab: chooseLab(value('lab'), xoUrl, environment),
    imagePath: path(value('image')),
    expectClosure: closure(value('expect-closure')),
    ...proofOf(given, environment),
    control: value('control')?.text === 'none' ? 'none' : path(value('control')),
    readBack: choice(value('read-back'), ['auto', 'always'] as const) ?? 'auto',
    cache: choice(value('cache'), ['on', 'off'] as const),
    budgetScale: positive(value('budget-scale')),
    boots: bootCount(value('boots')),
    timeLimitS: whole(value('time-limit'), 1, 86_400, 'a whole number of seconds'),
    workdirRoot: path(value('workdir-root')) ?? tmpdir(),
    ...keepingOf(given),
    label: label(value('label')),
    ...historyWish(given),
    outputs: outputFiles(given, environment),
    xoUrl: xoUrl === null ? null : checkUrl(xoUrl.from, xoUrl.text),
    xoToken: secret('the token', value('xo-token'), value('xo-token-file')),
    xoPassword: secret('the password', value('xo-password'), null),
    overrides: given.overrides(),
    cacheDir: cacheDir(environment),
    childEnvironment: childEnvironment(environment),
    options: given.shown(),
    variables: given.shownVariables(),
    labArguments: given.flagsOf('lab'),
  };
}

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT */
export function proofOf(given: Given, environment: Environment): GivenProof {
  return {
    sshKeyPath: path(given.value('ssh-key')),
    sshPassphrase: secret('the passphrase', given.value('ssh-passphrase'), null),
    sshAuthSock: environment.SSH_AUTH_SOCK || null,
  };
}

/** A lost variable must never turn a nightly into a local run that passes. */
function chooseLab(lab: Override | null, xoUrl: Override | null, environment: Environment): LabChoice {
  if (lab === null) {
    if (xoUrl !== null) return { kind: 'from-options' };
    if (environment.CI === 'true') {
      throw new Fault('LAB_NOT_NAMED', '--lab: expected a lab to be named, since CI=true; given nothing');
    }
    return { kind: 'embedded', named: false };
  }
  if (lab.text === 'embedded') return { kind: 'embedded', named: true };
  if (/^\w+:\/\//.test(lab.text)) {
    throw bad(lab.from, 'embedded, a name or a lab file; a URL goes to --xo-url', `"${withoutCredentials(lab.text)}"`);
  }
  return { kind: 'file', path: labFilePath(lab.text) };
}

/** @param named a name below `labs/`, or a path */
export function labFilePath(named: string): string {
  const isPath = named.includes('/') || named.endsWith('.toml');
  return resolve(isPath ? named : join('labs', `${named}.toml`));
}

function closure(value: Override | null): string | null {
  if (value === null || (isAbsolute(value.text) && !/\s|\/$/.test(value.text))) return value?.text ?? null;
  throw bad(value.from, 'an absolute store path', `"${value.text}"`);
}

function choice<T extends string>(value: Override | null, choices: readonly T[]): T | null {
  if (value === null) return null;
  const found = choices.find((entry) => entry === value.text);
  if (found === undefined) throw bad(value.from, choices.join(' or '), `"${value.text}"`);
  return found;
}

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT */
export function positive(value: Override | null): number | null {
  if (value === null) return null;
  const number = Number(value.text);
  if (!(number > 0 && number <= 1000)) throw bad(value.from, 'a number above 0, at most 1000', `"${value.text}"`);
  return number;
}

const bootCount = (value: Override | null): number | null => whole(value, 1, BOOTS_MAX, 'a whole number');

function whole(value: Override | null, min: number, max: number, what: string): number | null {
  if (value === null) return null;
  const number = /^\d{1,9}$/.test(value.text) ? Number(value.text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw bad(value.from, `${what} from ${min} to ${max}`, `"${value.text}"`);
}

function label(value: Override | null): string | null {
  if (value === null || /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(value.text)) return value?.text ?? null;
  throw bad(value.from, 'letters, digits, dots, dashes and underscores (100 at most)', JSON.stringify(value.text));
}

/** A password may hold what ends a URL's host (`/`, `"`, `@`): nothing before the last @ is quoted, and no cause. */
const withoutCredentials = (url: string): string => url.replace(/^(\w+:\/\/)?.*@/s, '$1[secret]@');

/**
 * @throws Fault BAD_URL. @returns the URL without a trailing slash, which would hang for ever, as http(s): one Xen
 *   Orchestra has one name, by which what a dead run left there is found again
 */
export function checkUrl(from: string, text: string): string {
  const expected = 'an http, https, ws or wss URL with host and no path or credentials';
  const shown = withoutCredentials(text);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Fault('BAD_URL', `${from}: expected ${expected}, given "${shown}"`);
  }
  const plain =
    url.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/';
  if (!/^(https?|wss?):$/.test(url.protocol) || url.hostname === '' || !plain || url.port === '0') {
    throw new Fault('BAD_URL', `${from}: expected ${expected}, given "${shown}"`);
  }
  return url.href.replace(/^ws/, 'http').replace(/\/$/, '');
}

function secret(what: string, direct: Override | null, file: Override | null): Secret | null {
  if (direct !== null) return new Secret(direct.text);
  return file === null ? null : readSecretFile(file.from, what, path(file) ?? '');
}

/**
 * @param what the file holds, e.g. `the token`; it is the only line of the file
 * @throws Fault BAD_OPTION where the file cannot be read or is empty
 */
export function readSecretFile(from: string, what: string, file: string): Secret {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new Fault('BAD_OPTION', `${from}: expected a file that holds ${what}, cannot read ${file}`, { cause });
  }
  const plain = what === 'the token' ? text.trim() : text;
  if (plain.trim() === '' || /[\r\n]/.test(plain) || (what === 'the token' && /\s/.test(plain))) {
    throw bad(from, `a file that holds ${what} and nothing else`, file);
  }
  return new Secret(plain);
}

/** Where this user's caches are, and what runs of this machine wrote down. @throws Fault BAD_ENVIRONMENT */
export function cacheDir(environment: Environment): string {
  const named = environment.BOOTWITNESS_CACHE_DIR;
  // Named and not to be had is a mistake; without the default one a run only reads its image anew.
  if (named) return makeCacheDir('BOOTWITNESS_CACHE_DIR', resolve(named));
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness');
}

/** Of this process alone. */
const OWN = ['NODE_OPTIONS', 'BOOTWITNESS_EVENTS_FD'];

function childEnvironment(environment: Environment): Record<string, string> {
  const child: Record<string, string> = {};
  const secrets = OPTIONS.filter((entry) => entry.secret).map((entry) => entry.environment);
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || secrets.includes(name) || OWN.includes(name) || name.startsWith('TAP')) continue;
    child[name] = text;
  }
  return child;
}
