/**
 * Stages Guile, its libraries and Shepherd under /frx/store, as Fruix does, and the closure that
 * names them. Nothing of Guile stays in the distribution's own folders.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Package } from './apt.ts';
import { copyPlainFiles } from './plain-files.ts';

const STORE = '/frx/store';
const LIB = 'usr/lib/x86_64-linux-gnu';
const GUILE_LIB = `${LIB}/guile/3.0`;

/** Libraries that Guile is linked with; some serve other programs too, so they are copied. */
const GUILE_LIBRARIES = ['libffi.so', 'libgmp.so', 'libunistring.so', 'libcrypt.so'];
/** Nothing else in the guest uses these: moved. */
const MOVED_LIBRARIES = ['libguile-3.0.so', 'libgc.so'];

/** Modules whose compiled form knows the distribution's prefix: without it Guile takes the edited source. */
const STALE_COMPILED = ['fibers/config.go', 'gnutls.go', 'shepherd/config.go'];

/** What `(shepherd config)` has to say; the keys are its own variables. */
const SHEPHERD_CONFIG: Readonly<Record<string, string>> = {
  'Prefix-dir': '/frx',
  '%localstatedir': '/var',
  '%runstatedir': '/var/run',
  '%sysconfdir': '/etc',
  '%localedir': '/usr/share/locale',
  '%pkglibdir': '/usr/local/lib/shepherd',
};

/** Paths in the guest. */
export interface StagedStore {
  readonly closure: string;
}

function replaceOnce(text: string, from: string | RegExp, to: string, where: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${where}: expected once "${from}", found it ${parts.length - 1} times`);
  return `${parts[0]}${to}${parts[1]}`;
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

async function stageGuile(tree: string, item: string): Promise<void> {
  await move(join(tree, GUILE_LIB, 'bin/guile'), join(item, 'bin/guile'));
  await move(join(tree, GUILE_LIB, 'ccache'), join(item, 'lib/guile/3.0/ccache'));
  for (const name of await readdir(join(tree, LIB))) {
    const belongs = (library: string): boolean => name.startsWith(`${library}.`);
    if (MOVED_LIBRARIES.some(belongs)) await move(join(tree, LIB, name), join(item, 'lib', name));
    else if (GUILE_LIBRARIES.some(belongs)) {
      await cp(join(tree, LIB, name), join(item, 'lib', name), { verbatimSymlinks: true });
    }
  }
  const extensions = await readdir(join(tree, GUILE_LIB, 'extensions'));
  for (const name of extensions.filter((each) => each.startsWith('guile-readline'))) {
    await move(join(tree, GUILE_LIB, 'extensions', name), join(item, 'lib/guile/3.0/extensions', name));
  }
  for (const name of await readdir(join(tree, 'usr/share/guile/3.0'))) {
    await move(join(tree, 'usr/share/guile/3.0', name), join(item, 'share/guile/3.0', name));
  }
  await rm(join(tree, 'usr/bin/guile-3.0'));
}

async function stageShepherd(tree: string, item: string, scripts: string): Promise<void> {
  for (const [from, to] of [
    ['usr/share/guile/site/3.0', 'share/guile/site/3.0'],
    [`${GUILE_LIB}/site-ccache`, 'lib/guile/3.0/site-ccache'],
  ] as const) {
    for (const name of (await readdir(join(tree, from))).filter((each) => /^shepherd(\.|$)/.test(each))) {
      await move(join(tree, from, name), join(item, to, name));
    }
  }
  await move(join(tree, LIB, 'shepherd/crash-handler.so'), join(item, 'lib/shepherd/crash-handler.so'));
  await edit(join(item, 'share/guile/site/3.0/shepherd/config.scm'), (text) =>
    Object.entries(SHEPHERD_CONFIG).reduce(
      (edited, [name, value]) =>
        replaceOnce(edited, new RegExp(`\\(define ${name} "[^"]*"\\)`), `(define ${name} "${value}")`, name),
      text,
    ),
  );
  await copyPlainFiles(scripts, join(item, 'bin'));
  for (const path of ['usr/bin/herd', 'usr/bin/shepherd', 'usr/libexec/shepherd']) {
    await rm(join(tree, path), { recursive: true });
  }
}

/** Fibers and gnutls: whatever of Guile is left when Guile and Shepherd have been moved. */
async function stageExtra(tree: string, item: string): Promise<void> {
  await move(join(tree, 'usr/share/guile/site/3.0'), join(item, 'share/guile/site/3.0'));
  await move(join(tree, GUILE_LIB, 'site-ccache'), join(item, 'lib/guile/3.0/site-ccache'));
  await move(join(tree, GUILE_LIB, 'extensions'), join(item, 'lib/guile/3.0/extensions'));
  const site = join(item, 'share/guile/site/3.0');
  await edit(join(site, 'fibers/config.scm'), (text) =>
    replaceOnce(
      text,
      `(else "/${GUILE_LIB}/extensions")`,
      '((getenv "GUILE_EXTENSIONS_PATH")\n    => (lambda (path) (car (string-split path #\\:))))\n   (else "")',
      'fibers/config.scm',
    ),
  );
  await rm(join(tree, 'usr/share/guile'), { recursive: true });
  await rm(join(tree, LIB, 'guile'), { recursive: true });
}

function itemHash(name: string, inputs: readonly string[]): string {
  return createHash('sha256')
    .update([name, ...inputs].join('\n'))
    .digest('hex');
}

async function fillPlaceholders(folder: string, values: Readonly<Record<string, string>>): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    await edit(join(entry.parentPath, entry.name), (text) =>
      text.replace(/@([A-Z]+)@/g, (placeholder, name: string) => values[name] ?? placeholder),
    );
  }
}

/**
 * Moves the Guile world of `tree` into the store and adds the closure from `files`. The items' hashes
 * come from the recipe and the packages' checksums: the same inputs give the same paths.
 */
export async function stageStore(options: {
  tree: string;
  files: string;
  packages: readonly Package[];
  recipeDigest: string;
}): Promise<StagedStore> {
  const { tree, files } = options;
  const inputs = [options.recipeDigest, ...options.packages.map(({ name, sha256 }) => `${name} ${sha256}`)];
  const path = (name: string): string => `${STORE}/${itemHash(name, inputs)}-${name}`;
  const [guile, extra, shepherd] = [path('guile'), path('guile-extra'), path('shepherd')];
  const closure = path('fruix-system-fruix-reference');
  await stageGuile(tree, join(tree, guile));
  await stageShepherd(tree, join(tree, shepherd), join(files, 'shepherd/bin'));
  await stageExtra(tree, join(tree, extra));
  for (const item of [extra, shepherd]) {
    for (const stale of STALE_COMPILED) await rm(join(tree, item, 'lib/guile/3.0/site-ccache', stale), { force: true });
  }
  await copyPlainFiles(join(files, 'closure'), join(tree, closure));
  const placeholders = { GUILE: guile, EXTRA: extra, SHEPHERD: shepherd, CLOSURE: closure };
  await fillPlaceholders(join(tree, closure), placeholders);
  await fillPlaceholders(join(tree, shepherd, 'bin'), placeholders);
  await symlink(`${shepherd}/lib/shepherd`, join(tree, 'usr/local/lib/shepherd'));
  await symlink(closure, join(tree, 'etc/fruix/current-system'));
  await symlink(`${closure}/boot/fruix-pid1`, join(tree, 'sbin/fruix-pid1'));
  return { closure };
}
