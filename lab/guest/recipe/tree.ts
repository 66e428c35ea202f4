/** Makes the guest's root file system as a folder: packages unpacked, accounts, configuration, commands. */
import { chmod, cp, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Package } from './apt.ts';
import { command } from './command.ts';
import { NOT_UNPACKED } from './packages.ts';
import { copyPlainFiles } from './plain-files.ts';

const UNPACK = [
  'deb=$1 tree=$2; shift 2',
  'dpkg-deb --fsys-tarfile "$deb" | tar -x -p --numeric-owner -C "$tree" --keep-directory-symlink "$@"',
].join('\n');

/** Unpacking is decompression: two at a time use two cores. */
const WORKERS = 2;

/** Packages whose maintainer script would have linked a command. */
const LINKS: Readonly<Record<string, string>> = { 'usr/bin/awk': 'mawk' };

/** Character sets that are kept: Guile under LANG=C aborts without the first. */
const KEPT_GCONV = ['ISO8859-1.so', 'UTF-16.so', 'UTF-32.so', 'gconv-modules', 'gconv-modules.d'];

async function unpack(packages: readonly Package[], tree: string): Promise<void> {
  const excluded = NOT_UNPACKED.map((pattern) => `--exclude=${pattern}`);
  const unpackOne = async ({ file }: Package): Promise<void> => {
    await command('bash', ['-o', 'pipefail', '-c', UNPACK, 'unpack', file, tree, ...excluded]);
  };
  // base-files first: it brings the links of the merged /usr that every other package unpacks through.
  const first = packages.filter(({ name }) => name === 'base-files');
  if (first.length !== 1) throw new Error('the packages were expected to hold base-files once');
  await Promise.all(first.map(unpackOne));
  const queue = packages.filter(({ name }) => name !== 'base-files').values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await unpackOne(item);
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
}

/** What base-passwd's and openssh-server's maintainer scripts would have made. */
async function accounts(tree: string): Promise<void> {
  const masters = join(tree, 'usr/share/base-passwd');
  const passwd = (await readFile(join(masters, 'passwd.master'), 'utf8'))
    .replace(/^root:.*$/m, 'root:x:0:0:root:/root:/bin/sh')
    .concat('sshd:*:100:65534::/run/sshd:/usr/sbin/nologin\n');
  const names = passwd
    .trim()
    .split('\n')
    .map((line) => line.split(':')[0]);
  await writeFile(join(tree, 'etc/passwd'), passwd.replace(/^([^:]+):\*:/gm, '$1:x:'));
  await writeFile(
    join(tree, 'etc/group'),
    (await readFile(join(masters, 'group.master'), 'utf8')).replaceAll(':*:', ':x:'),
  );
  // `*` is no password at all; `!` would lock the account for keys too.
  await writeFile(join(tree, 'etc/shadow'), names.map((name) => `${name}:*:20000:0:99999:7:::\n`).join(''), {
    mode: 0o600,
  });
}

/** Busybox's commands where the real ones are not installed (ps, ip, udhcpc, vi, tar …). */
async function applets(tree: string): Promise<void> {
  const { stdout } = await command(join(tree, 'usr/bin/busybox'), ['--list']);
  for (const name of stdout.trim().split('\n')) {
    const taken = await Promise.all(
      ['usr/bin', 'usr/sbin'].map((folder) =>
        lstat(join(tree, folder, name)).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!taken.includes(true)) await symlink('busybox', join(tree, 'usr/bin', name));
  }
}

async function trimGconv(tree: string): Promise<void> {
  const gconv = join(tree, 'usr/lib/x86_64-linux-gnu/gconv');
  const kept = join(tree, 'usr/lib/x86_64-linux-gnu/gconv.kept');
  await mkdir(kept);
  for (const name of KEPT_GCONV) await cp(join(gconv, name), join(kept, name), { recursive: true });
  await rm(gconv, { recursive: true });
  await command('mv', [kept, gconv]);
}

/** Keys of the guest: its own host key, and the one that may log in. */
async function keys(tree: string, authorizedKey: string): Promise<void> {
  const hostKey = join(tree, 'etc/ssh/ssh_host_ed25519_key');
  await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'fruix-reference', '-f', hostKey]);
  const folder = join(tree, 'root/.ssh');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'authorized_keys'), authorizedKey, { mode: 0o600 });
  await chmod(join(tree, 'root'), 0o700);
}

/**
 * Fills the folder `tree` with the root file system. `files` is copied over it as it is;
 * `authorizedKey` is the line for root's authorized_keys.
 */
export async function buildTree(options: {
  tree: string;
  packages: readonly Package[];
  files: string;
  authorizedKey: string;
}): Promise<void> {
  const { tree } = options;
  await mkdir(tree);
  await unpack(options.packages, tree);
  await accounts(tree);
  for (const [link, target] of Object.entries(LINKS)) await symlink(target, join(tree, link));
  await applets(tree);
  await trimGconv(tree);
  await copyPlainFiles(options.files, tree);
  await keys(tree, options.authorizedKey);
  for (const folder of ['var/lib/fruix', 'var/log', 'frx/store', 'usr/local/lib', 'etc/inittab.d']) {
    await mkdir(join(tree, folder), { recursive: true });
  }
}

/** Last step, when no library moves any more. */
export async function linkLibraries(tree: string): Promise<void> {
  await writeFile(join(tree, 'etc/ld.so.conf'), 'include /etc/ld.so.conf.d/*.conf\n');
  await command('ldconfig', ['-r', tree]);
}
