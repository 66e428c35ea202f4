/** Time on the wire: the timeline of a run, a stage that is slow, and a guest that eats everything that it is given. */
import t from 'tap';
import { witness } from './witness.ts';

interface Stage {
  readonly stage: string;
  readonly usedShare: number | null;
  readonly endedBy: string;
}

const timelineOf = (text: string): readonly Stage[] => JSON.parse(text).result.timeline;

t.test('every stage of a run is in its timeline, in order', async (t) => {
  const serial = '[    0.000000] Linux version 6.12\n[    1.0] Run /sbin/init as init process\n';
  const guests = [{ boot: { delayMs: 2_500, serial } }];
  const { code, metadata, file } = await witness({ answers: { guests }, args: ['--budget-scale', '0.5'] });
  t.equal(code, 0);
  const timeline = timelineOf(file('result.json'));
  t.same(
    timeline.map(({ stage }) => stage),
    [
      ...['plan', 'sign-in', 'plan', 'create', 'upload', 'attach', 'firmware', 'kernel', 'services', 'ssh'],
      ...['probes', 'ready', 'probes', 'dispose'],
    ].filter((stage, index) => index > 0 || timeline[0]?.stage === stage),
  );
  t.match(timeline.find(({ stage }) => stage === 'firmware')?.endedBy, /^console: ".*Linux version/);
  t.match(timeline.find(({ stage }) => stage === 'services')?.endedBy, /banner/);
  for (const key of ['time_upload_s', 'time_services_s', 'time_probe_s', 'time_dispose_s'])
    t.ok(metadata.get(key), key);
  t.equal(metadata.get('slow_stages'), 'none');
});

t.test('a stage that took most of its budget is a warning, and no other verdict', async (t) => {
  const guests = [{ boot: { delayMs: 4_600 } }];
  const { code, metadata, stderr } = await witness({ answers: { guests }, args: ['--budget-scale', '0.1'] });
  t.equal(code, 0, stderr);
  t.match(metadata.get('slow_stages'), /firmware\+kernel\+services used 9\d % of its 5 s/);
  t.match(stderr, /slow: firmware\+kernel\+services used 80 % of its 5 s so far; last seen: connected, no banner/);
  t.match(stderr, /^WARNING: firmware\+kernel\+services used/m);
});

t.test('a boot that ends by its time says which stage ate it', async (t) => {
  const serial = '[    0.000000] Linux version 6.12\n[    1.0] Run /sbin/init as init process\n';
  const guests = [{ boot: { sshd: 'never', serial } }];
  const args = ['--budget-scale', '0.1', '--control', 'none'];
  const { metadata } = await witness({ answers: { guests }, args });
  t.equal(metadata.get('fault'), 'SILENT_NO_CONTROL');
  t.match(
    metadata.get('reason'),
    /connected, no banner after \d s .*; time went to services \d\.\d of 2.5 s \(firmware/,
  );
});

/** Seconds of clean-up that a limit keeps back here. */
const CLEAN_UP_S = 180;
const EATERS: readonly (readonly [string, unknown])[] = [
  ['at the connection', { boot: { sshd: 'never' } }],
  ['at its identity', { answers: { 'guest-identity': { hang: true } } }],
  ['at every probe', { answers: { 'guile-module-smoke': { hang: true }, 'shepherd-status': { hang: true } } }],
];
for (const [where, guest] of EATERS) {
  t.test(`a guest that eats all time ${where}: the end comes in time, and the clean-up has its own`, async (t) => {
    const args = ['--time-limit', String(CLEAN_UP_S + 8), '--budget-scale', '4'];
    const scaled = ['--time-limit', String(CLEAN_UP_S * 4 + 8), '--budget-scale', '4'];
    t.match(
      (await witness({ answers: { guests: [guest] }, args })).stderr,
      /--time-limit: expected more than the 72\d s/,
    );
    const played = await witness({ answers: { guests: [guest] }, args: scaled });
    t.equal(played.metadata.get('fault'), 'OUT_OF_TIME', played.stderr);
    t.equal(played.metadata.get('result'), 'ERROR');
    t.match(played.metadata.get('reason'), /the case: not done within [678] s; time went to .* s, .*; last seen: /);
    t.equal(played.metadata.get('leaked'), '0');
    t.same(played.left, [], 'nothing is left in the pool');
    t.ok(played.seconds < 25, `${played.seconds.toFixed(1)} s`);
  });
}
