/**
 * Guests that are booted twice: what the second boot shows, and who is to blame where it does not come: rows of the
 * matrix. The first VM of a run is the image, the second the control, the third the image once more.
 */
import { broken, PANICKED, PASS, type Row, SILENT, undetermined } from '../../wire/rows.ts';

const HEALTHY = {};
/** The `answers` of a guest whose shims come back with its second boot. */
const COMES_BACK = { 'kind.1': 'symlink', 'target.1': '/frx/store/x' };
const after = (reboot: string): object => ({ boot: { reboot } });
const answering = (answers: object): object => ({ answers });

const twice = (name: string, guests: readonly object[], expected: Omit<Row, 'name'>): Row => ({
  ...{ name, answers: { guests }, args: ['--boots', '2'], scale: 0.1 },
  ...expected,
});
const controlSilent = (says: RegExp) => ({ result: 'ERROR', fault: 'CONTROL_SILENT', party: 'lab', says }) as const;

export const BOOTS: readonly Row[] = [
  twice(
    'a second boot that never comes, though the control boots twice',
    [after('stays-silent'), HEALTHY, after('stays-silent')],
    {
      ...{ ...SILENT, says: /again: after a reboot: .*control image answered/ },
    },
  ),
  twice('a second boot that never comes, nor that of the control', [after('stays-silent'), after('stays-silent')], {
    ...controlSilent(/both silent.*after a reboot/),
  }),
  twice('it halts where it was to reboot, and so does the control', [after('halts'), after('halts')], {
    ...controlSilent(/powered itself off/),
  }),
  twice('a second boot that comes at the second try', [after('stays-silent'), HEALTHY, HEALTHY], {
    ...undetermined('SILENT_ONCE', /answered when booted again/),
  }),
  twice('it runs on', [after('ignores')], {
    ...undetermined('NOT_REBOOTED', /it runs on.*time went to reboot of boot 2/),
  }),
  twice('it comes back with the boot id of before', [after('keeps-boot-id')], {
    ...undetermined('NOT_REBOOTED', /came back in the same boot/),
  }),
  twice('a panic on the way down or up', [after('panics'), HEALTHY, after('panics')], {
    ...{ ...PANICKED, says: /panic: page fault/, blind: { ...SILENT, says: /control image answered/ } },
  }),
  twice('booted twice', [HEALTHY], { ...PASS, says: /every check held/ }),
  twice(
    'shims that come back at the second boot',
    [answering({ 'compat-prefix-shims': { boot: 2, facts: COMES_BACK } })],
    {
      ...{ ...broken('compat_prefix_shims@boot2'), says: /compat_prefix_shims@boot2: expected absent/ },
    },
  ),
  twice(
    'what failed at the first boot is not booted again',
    [answering({ 'compat-prefix-shims': { facts: COMES_BACK } })],
    {
      ...{ ...broken('compat_prefix_shims'), says: /^compat_prefix_shims: / },
    },
  ),
  twice('a marker that stays', [answering({ 'ready-marker-removal': { facts: { marker: 'still there' } } })], {
    ...undetermined('PROBE_UNOBSERVED', /marker could not be removed/),
  }),
  twice('a guest that tells no boot id', [answering({ 'guest-identity': { facts: { boot_id: '' } } })], {
    ...undetermined('PROBE_UNOBSERVED', /tells no boot id/),
  }),
  twice(
    'an old marker at the second boot',
    [answering({ 'ready-marker': { boot: 2, facts: { kind: 'absent', content: null } } })],
    {
      ...{ ...broken('ready_marker@boot2'), says: /ready_marker@boot2: .*awaited for 3 s/ },
    },
  ),
];
