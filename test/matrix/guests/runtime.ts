/**
 * Guests whose runtime still depends on a historical prefix, or whose services are not those that are declared: rows of
 * the matrix. Each is a FAIL of the image that names the check; what could not be seen is an ERROR.
 */
import healthy from '../../../lab/simulated/healthy.json' with { type: 'json' };
import { PASS, type Row } from '../../wire/rows.ts';

const { 'guile-module-smoke': modules, 'shepherd-status': shepherd } = healthy.modes['freebsd-init+rc.d-shepherd'];

function replaced(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`expected '${from}' once`);
  return parts.join(to);
}

const spoken = (from: string, to: string) => ({
  guests: [
    { answers: { 'guile-module-smoke': { facts: { guile_output: replaced(modules.guile_output, from, to) } } } },
  ],
});
const listed = (from: string, to: string) => ({
  guests: [{ answers: { 'shepherd-status': { facts: { talk_output: replaced(shepherd.talk_output, from, to) } } } }],
});
const processes = (found: string) => ({ guests: [{ answers: { 'process-prefixes': { facts: { found } } } }] });
const cache = (module: string, file: string, content: string, writtenS = '1900000000'): string =>
  `BW\tcache\t${module}\tpath\t/frx/store/x/${file}\t/frx/store/x/${file}\t${writtenS}\t${content}`;
const cached = (module: string, file: string, content: string, writtenS?: string) =>
  spoken(`BW\tlooked\t${module}`, `${cache(module, file, content, writtenS)}\nBW\tlooked\t${module}`);
const CACHES = [
  ['(fibers config)', 'fibers/config.go', 'fibers_config'],
  ['(gnutls)', 'gnutls.go', 'gnutls'],
  ['(shepherd config)', 'shepherd/config.go', 'shepherd_config'],
] as const;

/** The reason begins with the check that does not hold. */
const checks = ({ source }: RegExp): readonly string[] => source.match(/^[a-z_]+/) ?? [];
const fails = (says: RegExp) =>
  ({ result: 'FAIL', fault: 'CHECKS_FAILED', party: 'image', says, checks: checks(says) }) as const;
const unseen = (says: RegExp) =>
  ({ result: 'ERROR', fault: 'PROBE_UNOBSERVED', party: 'undetermined', says, checks: checks(says) }) as const;

const SETTINGS = [
  ['Prefix-dir', '/frx', 'prefix_dir'],
  ['%localstatedir', '/var', 'localstatedir'],
  ['%runstatedir', '/var/run', 'runstatedir'],
  ['%sysconfdir', '/etc', 'sysconfdir'],
  ['%localedir', '/usr/share/locale', 'localedir'],
  ['%pkglibdir', '/usr/local/lib/shepherd', 'pkglibdir'],
] as const;

export const RUNTIME: readonly Row[] = [
  ...SETTINGS.map(
    ([name, value, key]): Row => ({
      name: `${name} is another`,
      answers: spoken(`${name}\t${value}\n`, `${name}\t/tmp/shepherd-freebsd-validate-install\n`),
      ...fails(new RegExp(`shepherd_config_${key}: expected ${value}, was /tmp/shepherd-freebsd-validate-install`)),
    }),
  ),
  ...CACHES.flatMap(([module, file, key]): Row[] => [
    {
      name: `a stale cache: ${file} holds a historical prefix`,
      answers: cached(module, file, 'holds /tmp/guile-freebsd-validate-install'),
      ...fails(new RegExp(`stale_cache_${key}: expected absent, or fresh and clean, was stale`)),
    },
    {
      name: `a stale cache: ${file} is older than its source`,
      answers: cached(module, file, 'clean', '1'),
      ...fails(new RegExp(`stale_cache_${key}: expected absent, or fresh and clean, was stale`)),
    },
  ]),
  {
    name: 'a cache is fresh and clean',
    answers: cached('(gnutls)', 'gnutls.go', 'clean'),
    ...PASS,
  },
  {
    name: 'a cache could not be read',
    answers: cached('(gnutls)', 'gnutls.go', 'unread: too large'),
    ...unseen(/stale_cache_gnutls/),
  },
  {
    name: 'a module of a store that only begins like ours',
    answers: spoken(
      'BW\tloaded\t(gnutls)',
      'BW\tcompiled\t(gnutls)\t/frx/store-evil/g.go\t/frx/store-evil/g.go\t1900000000\nBW\tloaded\t(gnutls)',
    ),
    ...fails(/guile_module_file_gnutls: expected a file under \/frx\/store, was \/frx\/store-evil\/g\.go/),
    checks: ['guile_module_file_gnutls', 'guile_module_smoke'],
  },
  {
    name: 'a process maps a file below a historical prefix',
    answers: processes(
      'hit maps 171 /tmp/guile-freebsd-validate-install/lib/libguile.so\n' +
        'maps of 7 processes, among them 1 171\nlinks of 7 processes, among them 1 171\nhits 1',
    ),
    ...fails(/process_prefixes: expected none, was process 171 maps \/tmp\/guile-freebsd-validate-install\/lib/),
  },
  {
    name: 'the processes are hidden',
    answers: processes('maps of 1 processes, among them\nlinks of 1 processes, among them\nhits 0'),
    ...unseen(/process_prefixes/),
  },
  {
    name: 'a declared service does not run',
    answers: listed('fruix-ready\trunning', 'fruix-ready\tstopped'),
    ...fails(/shepherd_services: expected fruix-ready root, was root/),
  },
  {
    name: 'a service runs that nobody declared',
    answers: listed('fruix-ready\trunning', 'fruix-ready\trunning\nBW\tservice\tsurplus\trunning'),
    ...fails(/shepherd_services: expected fruix-ready root, was fruix-ready root surplus/),
  },
  {
    name: 'the same, declared by the caller',
    answers: listed('fruix-ready\trunning', 'fruix-ready\trunning\nBW\tservice\tsurplus\trunning'),
    args: ['--path-services-under-init', 'root:fruix-ready:surplus'],
    ...PASS,
  },
  {
    name: 'files of the store hold a prefix: counted, and no failure',
    answers: { guests: [{ answers: { 'baked-prefix-strings': { facts: { found: 'files 9\nhits 4\n' } } } }] },
    ...PASS,
  },
];
