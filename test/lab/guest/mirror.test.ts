/** Which mirror the machine's apt sources lead to, and which entries are not Debian's. */
import t from 'tap';
import { mirrorFrom, type SourcesFile } from '../../../lab/guest/recipe/mirror.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

function deb822(...lines: readonly string[]): SourcesFile {
  return { path: '/etc/apt/sources.list.d/some.sources', text: `${lines.join('\n')}\n` };
}

function oneLine(...lines: readonly string[]): SourcesFile {
  return { path: '/etc/apt/sources.list', text: `${lines.join('\n')}\n` };
}

const INSTALLED = deb822(
  'Types: deb',
  '# a comment between the fields',
  'URIs: http://mirror.test/debian',
  'Suites: bookworm bookworm-updates',
  'Components: main',
  `Signed-By: ${KEYRING}`,
  '',
  'Types: deb',
  'URIs: http://mirror.test/debian-security',
  'Suites: bookworm-security',
  'Components: main',
  `Signed-By: ${KEYRING}`,
);

t.test('the deb822 sources of an installed Debian', async (t) => {
  t.strictSame(mirrorFrom([INSTALLED], undefined), { uri: 'http://mirror.test/debian', signedBy: KEYRING });
});

t.test('one-line sources, with and without options', async (t) => {
  const plain = oneLine(
    '# deb http://old.test/debian bookworm main',
    'deb http://mirror.test/debian/ bookworm main contrib',
  );
  t.strictSame(mirrorFrom([plain], ''), { uri: 'http://mirror.test/debian/', signedBy: null });
  const signed = oneLine(`deb [arch=amd64 signed-by=${KEYRING}] https://mirror.test/some/folder trixie main # ours`);
  t.strictSame(mirrorFrom([signed], undefined), { uri: 'https://mirror.test/some/folder', signedBy: KEYRING });
});

t.test('a list of mirrors, as cloud images have it', async (t) => {
  const cloud = deb822(
    'Types: deb deb-src',
    'URIs: mirror+file:///etc/apt/mirrors/debian.list',
    'Suites: trixie trixie-updates trixie-backports',
    'Components: main',
  );
  t.equal(mirrorFrom([cloud], undefined).uri, 'mirror+file:///etc/apt/mirrors/debian.list');
});

t.test('what is not the main archive of Debian is never taken', async (t) => {
  const others: Record<string, SourcesFile> = {
    'security archive': oneLine('deb http://mirror.test/debian-security bookworm-security main'),
    'vendor by suite': oneLine('deb http://vendor.test/debian cloud-sdk-bookworm main'),
    'vendor by component': oneLine('deb http://vendor.test/linux/debian bookworm stable'),
    'vendor by keyring': oneLine(
      'deb [signed-by=/usr/share/keyrings/vendor.gpg] http://vendor.test/debian bookworm main',
    ),
    'vendor by address': oneLine('deb http://vendor.test/apt bookworm main'),
    'source packages only': oneLine('deb-src http://mirror.test/debian bookworm main'),
    'a medium': oneLine('deb cdrom:[Debian]/debian bookworm main'),
    disabled: deb822('Enabled: no', 'Types: deb', 'URIs: http://a.test/debian', 'Suites: bookworm', 'Components: main'),
    Ubuntu: oneLine('deb http://mirror.test/ubuntu noble main universe'),
  };
  for (const [name, file] of Object.entries(others)) {
    t.throws(
      () => mirrorFrom([file], undefined),
      { message: /^no entry for Debian's main archive .* BOOTWITNESS_DEBIAN_MIRROR/ },
      name,
    );
    t.equal(mirrorFrom([file, INSTALLED], undefined).uri, 'http://mirror.test/debian', `${name}, and Debian too`);
  }
  t.throws(() => mirrorFrom([], undefined), /BOOTWITNESS_DEBIAN_MIRROR/);
});

t.test('the variable wins, and must be a URI', async (t) => {
  t.equal(mirrorFrom([INSTALLED], 'https://near.test/debian').uri, 'https://near.test/debian');
  t.equal(mirrorFrom([], 'file:/srv/debian').uri, 'file:/srv/debian');
  for (const wrong of ['near.test/debian', 'https://near.test/debian trixie main', '-o Dir=/']) {
    t.throws(() => mirrorFrom([INSTALLED], wrong), { message: /^BOOTWITNESS_DEBIAN_MIRROR must be one URI/ }, wrong);
  }
});
