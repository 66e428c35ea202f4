/**
 * Brings the packages of the reference guest with the machine's own apt, signatures verified, but
 * with state, configuration and cache of its own: the machine's package system is not touched.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { MIRROR_VARIABLE, type Mirror, mirrorFrom, type SourcesFile } from './mirror.ts';
import { LEFT_OUT, SUITE, WANTED } from './packages.ts';

/** One package, downloaded and checked. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
}

const SOURCES = '/etc/apt';
/** Debian's own names for its keyring: the newer releases have both endings. */
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function sourcesFiles(): Promise<SourcesFile[]> {
  const inFolder = await readdir(join(SOURCES, 'sources.list.d')).catch(() => []);
  const paths = ['sources.list', ...inFolder.sort().map((name) => join('sources.list.d', name))]
    .filter((path) => /\.(?:list|sources)$/.test(path))
    .map((path) => join(SOURCES, path));
  const files = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => '') })),
  );
  return files.filter((file) => file.text !== '');
}

async function keyring(mirror: Mirror): Promise<string> {
  for (const path of [...(mirror.signedBy === null ? [] : [mirror.signedBy]), ...KEYRINGS]) {
    if (await exists(path)) return path;
  }
  throw new Error(
    `the keyring of Debian is missing (${KEYRINGS[0]}), and packages are not used unverified: ` +
      'install debian-archive-keyring',
  );
}

/** How this machine reaches mirrors (proxies, timeouts); its hooks are no concern of ours. */
async function transportSettings(): Promise<string[]> {
  const { stdout } = await command('apt-config', ['dump']);
  return stdout
    .split('\n')
    .filter((line) => /^Acquire::(?:https?|ftp|Retries|ForceIPv[46]|Changelogs)\b.*"[^"]*";$/i.test(line))
    .filter((line) => !/ "";$/.test(line));
}

async function configure(workDir: string, archives: string): Promise<{ APT_CONFIG: string }> {
  const mirror = mirrorFrom(await sourcesFiles(), process.env[MIRROR_VARIABLE]);
  const signedBy = await keyring(mirror);
  for (const folder of ['lists/partial', 'etc/empty', 'cache']) await mkdir(join(workDir, folder), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await writeFile(join(workDir, 'status'), '');
  await writeFile(join(workDir, 'etc/sources.list'), `deb [signed-by=${signedBy}] ${mirror.uri} ${SUITE} main\n`);
  const settings = [
    ...(await transportSettings()),
    `Dir::State "${workDir}";`,
    `Dir::State::status "${workDir}/status";`,
    `Dir::State::lists "${workDir}/lists";`,
    `Dir::Cache "${workDir}/cache";`,
    `Dir::Cache::archives "${archives}";`,
    `Dir::Etc::main "${workDir}/etc/none";`,
    `Dir::Etc::parts "${workDir}/etc/empty";`,
    `Dir::Etc::sourcelist "${workDir}/etc/sources.list";`,
    `Dir::Etc::sourceparts "${workDir}/etc/empty";`,
    `Dir::Etc::preferences "${workDir}/etc/none";`,
    `Dir::Etc::preferencesparts "${workDir}/etc/empty";`,
    'APT::Architecture "amd64";',
    'APT::Architectures { "amd64"; };',
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
  ];
  const config = join(workDir, 'etc/apt.conf');
  // A proxy's address may carry a password.
  await writeFile(config, `${settings.join('\n')}\n`, { mode: 0o600 });
  return { APT_CONFIG: config };
}

function sizeInMb(size: string, unit: string): number {
  const scale = { B: 1e-6, kB: 1e-3, MB: 1, GB: 1e3 }[unit];
  return scale === undefined ? 0 : Number(size) * scale;
}

async function download(env: { APT_CONFIG: string }, log: (line: string) => void): Promise<void> {
  const started = Date.now();
  let doneMb = 0;
  let shownMb = 0;
  let totalMb = '?';
  const onLine = (line: string): void => {
    totalMb = /^Need to get (?:[\d.]+ .B\/)?([\d.,]+ .?B)/.exec(line)?.[1] ?? totalMb;
    const got = /^Get:.* \[([\d.]+) (k?M?G?B)\]$/.exec(line.trim());
    if (got === null) return;
    doneMb += sizeInMb(got[1] ?? '0', got[2] ?? 'B');
    if (doneMb - shownMb < 20) return;
    shownMb = doneMb;
    log(`packages: ${doneMb.toFixed(0)} MB of ${totalMb} after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  };
  await command('apt-get', ['install', '--yes', '--download-only', ...WANTED], { env, onLine });
}

export interface Resolved {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** `Inst dash (0.5.12-12 Debian:13.1/stable [amd64])` */
export function resolvedPackages(simulation: string): Resolved[] {
  return [...simulation.matchAll(/^Inst (\S+) \((\S+) .*\[(\w+)\]\)/gm)].map((match) => ({
    name: match[1] ?? '',
    version: match[2] ?? '',
    architecture: match[3] ?? '',
  }));
}

/** The signed index's checksum of each package: apt itself looks only at the size of what is in its cache. */
async function checksums(env: { APT_CONFIG: string }, packages: readonly Resolved[]): Promise<Map<string, string>> {
  const { stdout } = await command(
    'apt-cache',
    ['show', ...packages.map(({ name, version }) => `${name}=${version}`)],
    {
      env,
    },
  );
  const found = new Map<string, string>();
  for (const stanza of stdout.split('\n\n')) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    const sha256 = /^SHA256: ([0-9a-f]{64})$/m.exec(stanza)?.[1];
    if (name !== undefined && sha256 !== undefined) found.set(name, sha256);
  }
  return found;
}

function archiveName({ name, version, architecture }: Resolved): string {
  return `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
}

/** Older versions are never asked for again: the mirror does not have them any more. */
async function prune(archives: string, current: readonly Resolved[]): Promise<void> {
  const kept = new Set(current.map(archiveName));
  for (const name of await readdir(archives)) {
    if (name.endsWith('.deb') && !kept.has(name)) await rm(join(archives, name));
  }
}

async function verified(archives: string, resolved: Resolved, expected: string | undefined): Promise<Package> {
  const { name, version } = resolved;
  const file = join(archives, archiveName(resolved));
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  if (sha256 !== expected) {
    await rm(file);
    throw new Error(`${file} has SHA-256 ${sha256}, the signed index says ${expected}: removed, start again`);
  }
  return { name, version, file, sha256 };
}

/**
 * Downloads what is missing into `<cacheDir>/apt` and returns the packages to unpack, sorted by name.
 * `workDir` is a scratch folder. Throws one sentence where there is no mirror or no keyring.
 */
export async function fetchPackages(options: {
  workDir: string;
  cacheDir: string;
  log: (line: string) => void;
}): Promise<readonly Package[]> {
  const archives = join(options.cacheDir, 'apt');
  const env = await configure(options.workDir, archives);
  try {
    await command('apt-get', ['update', '--error-on=any'], { env });
    await download(env, options.log);
  } catch (cause) {
    // An address of apt's may carry a password.
    const words = (cause instanceof Error ? cause.message : String(cause)).replace(/\/\/[^/@\s]*@/g, '//');
    throw new Error(`packages of Debian ${SUITE} cannot be had here (another mirror: ${MIRROR_VARIABLE}): ${words}`);
  }
  const { stdout } = await command('apt-get', ['install', '--simulate', ...WANTED], { env });
  const simulated = resolvedPackages(stdout);
  const resolved = simulated
    .filter(({ name }) => !LEFT_OUT.has(name) && name !== 'linux-image-cloud-amd64')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const sums = await checksums(env, resolved);
  const packages: Package[] = [];
  for (const item of resolved) packages.push(await verified(archives, item, sums.get(item.name)));
  await prune(archives, simulated);
  return packages;
}
