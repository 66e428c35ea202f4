/**
 * Finds the Debian mirror to build from in the machine's own apt sources: what the operator has
 * set up and what is reachable from here. No host is named in this code.
 */

/** Overrides what the machine's apt sources say. */
export const MIRROR_VARIABLE = 'BOOTWITNESS_DEBIAN_MIRROR';

/** One file of apt sources: its path decides the format (`.sources` is deb822), as it does for apt. */
export interface SourcesFile {
  readonly path: string;
  readonly text: string;
}

export interface Mirror {
  readonly uri: string;
  /** Keyring that the entry names; null: it names none. */
  readonly signedBy: string | null;
}

interface Entry {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string | null;
  readonly enabled: boolean;
}

/** Suites by which an entry of Debian's main archive is known: codenames and their aliases, nothing suffixed. */
const DEBIAN_SUITE =
  /^(?:buster|bullseye|bookworm|trixie|forky|duke|sid|(?:old){0,2}stable|testing|unstable)(?:-updates|-backports)?$/;

/** A vendor's archive may use Debian's suite names, but not the keys of Debian. */
const DEBIAN_KEYRING = /(?:^|\/)debian-archive-[^/]*$/;

function words(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter((word) => word !== '');
}

function deb822Entries(text: string): Entry[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .map((stanza) => {
      const fields = new Map<string, string>();
      let key = '';
      for (const line of stanza.split('\n')) {
        const field = /^([A-Za-z0-9-]+):(.*)$/.exec(line);
        if (field !== null) key = (field[1] ?? '').toLowerCase();
        const value = field === null ? line : (field[2] ?? '');
        if (key !== '') fields.set(key, `${fields.get(key) ?? ''}\n${value}`.trim());
      }
      const signedBy = fields.get('signed-by');
      return {
        types: words(fields.get('types')),
        uris: words(fields.get('uris')),
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
        // An armoured key inside the file is not a path.
        signedBy: signedBy?.startsWith('/') ? signedBy : null,
        enabled: !/^(?:no|false|off|0|without|disable)$/i.test(fields.get('enabled') ?? 'yes'),
      };
    });
}

function oneLineEntries(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const entry = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
    if (entry === null) return [];
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/i.exec(entry[1] ?? '');
    return {
      types: ['deb'],
      uris: [entry[2] ?? ''],
      suites: [entry[3] ?? ''],
      components: words(entry[4]),
      signedBy: signedBy?.[1] ?? null,
      enabled: true,
    };
  });
}

function isDebian(entry: Entry): boolean {
  return (
    entry.enabled &&
    entry.types.includes('deb') &&
    entry.components.includes('main') &&
    entry.suites.length > 0 &&
    entry.suites.every((suite) => DEBIAN_SUITE.test(suite)) &&
    (entry.signedBy === null || DEBIAN_KEYRING.test(entry.signedBy))
  );
}

function isUsable(uri: string): boolean {
  return /^(?:https?|ftp|file|copy|mirror|tor|mirror\+[a-z+]+|tor\+[a-z]+):/.test(uri);
}

/**
 * The mirror that `files` (the machine's apt sources) name for Debian itself. Entries of vendors, of
 * the security archive and of media are skipped; an entry signed by Debian's keyring is preferred.
 * `override` is the value of BOOTWITNESS_DEBIAN_MIRROR. Throws one sentence where there is none.
 */
export function mirrorFrom(files: readonly SourcesFile[], override: string | undefined): Mirror {
  if (override !== undefined && override !== '') {
    if (!isUsable(override) || /\s/.test(override)) {
      throw new Error(`${MIRROR_VARIABLE} must be one URI of a Debian mirror, and it is "${override}"`);
    }
    return { uri: override, signedBy: null };
  }
  const entries = files.flatMap((file) =>
    file.path.endsWith('.sources') ? deb822Entries(file.text) : oneLineEntries(file.text),
  );
  const mirrors = entries
    .filter(isDebian)
    .flatMap((entry) => entry.uris.filter(isUsable).map((uri) => ({ uri, signedBy: entry.signedBy })));
  // Without a keyring in the entry the address has to say that it is Debian's archive.
  const best =
    mirrors.find((mirror) => mirror.signedBy !== null) ??
    mirrors.find((mirror) => /\/debian(?:\/|\.list)?$/.test(mirror.uri));
  if (best === undefined) {
    throw new Error(
      "no entry for Debian's main archive in the apt sources of this machine: " +
        `set ${MIRROR_VARIABLE} to the URI of a mirror`,
    );
  }
  return best;
}
