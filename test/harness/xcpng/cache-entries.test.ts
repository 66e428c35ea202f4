/** What counts as an entry, and how long a chain is: pure, over objects as XO shows them. */
import t from 'tap';
import { chainOf } from '../../../harness/xcpng/cache/chain.ts';
import { allottedBytes, type Raw, readEntries } from '../../../harness/xcpng/cache/entries.ts';
import { entryClaim, markTag, parseReady, readyTag } from '../../../harness/xcpng/cache/entry-tags.ts';
import { chooseEntries } from '../../../harness/xcpng/cache/sweep-entries.ts';
import { claimDescription, selfTag } from '../../../harness/xcpng/claims.ts';

const [VM, DISK, VBD] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000d15c', 'vbd'];
const NOW = Date.parse('2026-05-01T00:00:00Z');
const claim = entryClaim({ digest: 'ab'.repeat(32), bytes: 700, base: 'b', runId: 'run-1', xoNowMs: NOW, ttlMs: 1 });
const ready = readyTag({ atMs: NOW, disk: DISK, diskBytes: 1024, compared: true });
const TAGS = [...claim.tags, selfTag(VM), ready];

const template = (changes: Raw = {}): readonly [string, Raw] => [
  VM,
  {
    ...{
      type: 'VM-template',
      uuid: VM,
      $pool: 'p',
      name_label: 'e',
      tags: TAGS,
      $VBDs: [VBD],
      virtualizationMode: 'hvm',
    },
    ...changes,
  },
];
const disk = (changes: Raw = {}): readonly [string, Raw] => [
  DISK,
  {
    ...{ type: 'VDI', size: 1024, usage: 10, $SR: 'sr', $VBDs: [VBD], $pool: 'p', name_label: 'd' },
    ...{ name_description: claimDescription(claim, DISK), ...changes },
  },
];
const vbd = (changes: Raw = {}): readonly [string, Raw] => [
  VBD,
  { type: 'VBD', VM, VDI: DISK, is_cd_drive: false, ...changes },
];
const read = (...objects: readonly (readonly [string, Raw])[]) => readEntries(new Map(objects));

t.test('an entry, whole', async (t) => {
  t.match(read(template(), disk(), vbd()), [
    { state: 'ready', wrong: null, usedMs: NOW, sr: 'sr', chain: { length: 1 } },
  ]);
});

t.test('what is none', async (t) => {
  const none: readonly (readonly [string, readonly string[]])[] = [
    ["another's name", [...claim.tags, selfTag(DISK), ready]],
    ['two names', [...TAGS, selfTag(DISK)]],
    ['a ready mark and no name', [...claim.tags, ready]],
    ['half a claim', [...TAGS.filter((tag) => !tag.includes(':bytes='))]],
    ['two digests', [...TAGS, 'bootwitness:cache=cd']],
  ];
  for (const [name, tags] of none) t.same(read(template({ tags }), disk(), vbd()), [], name);
  const making = TAGS.filter((tag) => tag !== ready);
  t.match(read(template({ tags: making }), disk(), vbd()), [{ state: 'making', namesItself: true }]);
  t.match(read(template({ type: 'VM', tags: claim.tags })), [{ state: 'making', namesItself: false, disk: null }]);
});

t.test('what is broken, and why', async (t) => {
  const rows: readonly (readonly [RegExp, readonly (readonly [string, Raw])[]])[] = [
    [/no template/, [template({ type: 'VM' }), disk(), vbd()]],
    [/not hvm/, [template({ virtualizationMode: 'pv' }), disk(), vbd()]],
    [/cannot be read/, [template({ tags: [...TAGS.slice(0, -1), 'bootwitness:ready=yes'] }), disk(), vbd()]],
    [/its disks are none/, [template({ $VBDs: [null] }), disk(), vbd()]],
    [/its disks are other/, [template(), disk(), vbd({ VDI: 'other' })]],
    [/is missing/, [template(), disk({ missing: true }), vbd()]],
    [/is missing/, [template(), vbd()]],
    [/has 2048 bytes, not 1024/, [template(), disk({ size: 2048 }), vbd()]],
    [/does not say/, [template(), disk({ name_description: claimDescription(claim, VM) }), vbd()]],
    [/attached to .* as well/, [template(), disk({ $VBDs: [VBD, 'more'] }), vbd(), ['more', { type: 'VBD', VM: 'x' }]]],
  ];
  for (const [why, objects] of rows) t.match(read(...objects), [{ state: 'broken', wrong: why }]);
});

t.test('chains', async (t) => {
  const link = (id: string, parent: string | undefined, usage: number, type = 'VDI-unmanaged'): [string, Raw] => [
    id,
    { type, usage, ...(parent === undefined ? {} : { parent }) },
  ];
  const objects = new Map([link('a', 'b', 1, 'VDI'), link('b', 'c', 20), link('c', undefined, 300)]);
  t.equal(chainOf(objects, 'a').length, 3);
  t.equal(chainOf(objects, 'c').length, 1);
  t.equal(chainOf(new Map([link('a', 'gone', 1, 'VDI')]), 'a').length, 2, 'a parent that is not shown counts');
  t.equal(chainOf(new Map([link('a', 'b', 1), link('b', 'a', 1)]), 'a').length, 2, 'a ring ends');
  const [entry] = read(template(), disk({ parent: 'b' }), vbd(), link('b', undefined, 500));
  t.equal(allottedBytes(entry ? [entry, entry] : []), 510, 'what is shared counts once');
});

t.test('marks', async (t) => {
  t.equal(parseReady('yesterday'), null);
  t.equal(parseReady(null), null);
  const tags = [...TAGS, markTag('using', 'run-2', NOW), 'bootwitness:using=run-3;soon'];
  t.match(read(template({ tags }), disk(), vbd()), [{ using: [{ run: 'run-2', expiresMs: NOW }] }]);
});

t.test('sweep: a disk that lost its entry goes when its time is over; not one that may still have it', async (t) => {
  const wish = { dead: [], only: null, dryRun: false, takesKept: false };
  const choose = (...objects: readonly (readonly [string, Raw])[]) =>
    chooseEntries(new Map(objects), wish, NOW + 3_600_000);
  t.match(choose(disk({ $VBDs: [] })), [{ what: 'remove', type: 'VDI', id: DISK }]);
  t.match(choose(disk({ $VBDs: [null] })), [{ what: 'blocked', why: /VM unknown has it/ }], 'half shown');
  t.same(choose(template(), disk(), vbd()), [], 'a finished entry is nobody’s left-over');
  t.match(chooseEntries(new Map([disk({ $VBDs: [] })]), wish, NOW), [{ what: 'leave', why: /in the making/ }]);
});
