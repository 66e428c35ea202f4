/** Where the time of a case went: what ended a stage, what was not told apart, who ate the budget. */
import t from 'tap';
import { BootSigns } from '../../../harness/boot/boot-signs.ts';
import { slowStage, slowStages } from '../../../harness/boot/slow-stages.ts';
import { bootStages, Timeline } from '../../../harness/boot/timeline.ts';
import { bootS, caseS, provisionS, type StageRecord } from '../../../harness/budgets.ts';
import type { Clock } from '../../../harness/deadline.ts';
import type { Address } from '../../../harness/lab.ts';
import { fruixBudgets } from '../../../scenarios/fruix-budgets.ts';

/** A clock that goes on when it is told to. */
class Hand implements Clock {
  #nowMs = 0;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  nowMs(): number {
    return this.#nowMs;
  }
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve());
      this.#sleepers.push({ atMs: this.#nowMs + ms, wake: resolve });
    });
  }
  async go(seconds: number): Promise<void> {
    this.#nowMs += seconds * 1000;
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { wake } of due) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const BUDGETS = fruixBudgets['shepherd-pid1'];
const ADDRESS: Address = { host: '192.0.2.7', port: 22, source: 'slot', others: [], sure: true };

function booting(scale = 1) {
  const clock = new Hand();
  const told: string[] = [];
  const timeline = new Timeline((one) => one.event === 'warning' && told.push(one.text), new Date(0), clock);
  timeline.begin(bootStages(BUDGETS, 'bios', scale), { guest: 'image', boot: 1 });
  const names = () => timeline.records.map(({ stage }) => stage);
  return { clock, told, timeline, signs: new BootSigns(timeline), names };
}

t.test('with a serial console each stage of a boot is told apart', async (t) => {
  const { clock, timeline, signs, names } = booting();
  await clock.go(3);
  signs.console('SeaBIOS\n[    0.000000] Linux version 6.12\n');
  await clock.go(2);
  signs.console('SeaBIOS\n[    0.000000] Linux version 6.12\n[    1.9] Run /sbin/init as init process\n');
  await clock.go(6);
  signs.banner();
  signs.banner();
  await clock.go(1);
  timeline.end('authenticated over SSH');
  t.same(names(), ['firmware', 'kernel', 'services', 'ssh']);
  t.same(
    timeline.records.map(({ seconds }) => seconds),
    [3, 2, 6, 1],
  );
  t.match(timeline.records[0], {
    ...{ guest: 'image', boot: 1, budgetS: 10, usedShare: 0.3 },
    ...{ startedAt: '1970-01-01T00:00:00.000Z', endedAt: '1970-01-01T00:00:03.000Z' },
    endedBy: 'console: "[    0.000000] Linux version 6.12"',
  });
});

t.test('without one they are named together, and no budget is invented', async (t) => {
  const { clock, timeline, signs } = booting();
  await clock.go(20);
  signs.address(ADDRESS); // known before it boots: shows nothing
  signs.banner();
  await clock.go(1);
  timeline.end('authenticated over SSH');
  t.match(timeline.records, [
    { stage: 'firmware+kernel+services', budgetS: 50, seconds: 20, endedBy: "sshd's banner" },
    { stage: 'ssh', budgetS: 10, seconds: 1 },
  ]);
});

t.test('the network shows that the kernel is there', async (t) => {
  const refusing = booting();
  await refusing.clock.go(8);
  refusing.signs.refused(ADDRESS);
  t.same(refusing.names(), ['firmware+kernel']);
  const told = booting();
  told.signs.address({ ...ADDRESS, source: 'guest-metrics' });
  t.same(told.names(), ['firmware+kernel']);
  const unsure = booting();
  unsure.signs.address({ ...ADDRESS, source: 'neighbour-table', sure: false });
  unsure.signs.refused({ ...ADDRESS, sure: false });
  t.same(unsure.names(), [], 'somebody else may live there');
});

t.test('marks of FreeBSD', async (t) => {
  const { signs, names } = booting();
  signs.console('Loading kernel...\r\n---<<BOOT>>---\r\nCopyright (c) 1992-2026 The FreeBSD Project.\r\n');
  t.same(names(), ['firmware']);
  signs.console('---<<BOOT>>---\r\nTrying to mount root from ufs:/dev/ada0p2 []...\r\n');
  t.same(names(), ['firmware'], 'a root that is tried is no first process');
  signs.console('---<<BOOT>>---\r\nSetting hostuuid: 1.\r\n');
  t.same(names(), ['firmware', 'kernel']);
});

t.test('a boot whose time is over says which stage ate it', async (t) => {
  const { clock, timeline, signs } = booting();
  await clock.go(2);
  signs.console('Linux version 6.12\nRun /init as init process\n');
  await clock.go(40);
  t.equal(timeline.explain(), null, 'not yet over');
  await clock.go(18);
  const clause = 'time went to services 58.0 of 25 s (firmware 2.0 of 10 s, kernel 0.0 of 15 s, services 58.0 of 25 s)';
  t.equal(timeline.explain(), clause);
  timeline.end('it did not answer');
  t.equal(timeline.explain(), clause, 'also afterwards');
  timeline.begin([{ stage: 'dispose', budgetS: 180 }]);
  t.equal(timeline.explain(), null, 'what comes then has its own');
});

t.test('on a lab without serial the boot that ate it is not taken apart', async (t) => {
  const { clock, timeline } = booting(2);
  await clock.go(120);
  t.equal(timeline.explain(), 'time went to firmware+kernel+services 120.0 of 100 s');
});

t.test('a stage is named when it has used most of its budget, before it fails', async (t) => {
  const { clock, told, timeline, signs } = booting();
  signs.console('Linux version 6.12\nRun /init as init process\n');
  timeline.saw('connected, no banner');
  await clock.go(19);
  t.same(told, []);
  await clock.go(1);
  t.same(told, ['slow: services used 80 % of its 25 s so far; last seen: connected, no banner']);
  signs.banner();
  timeline.end('authenticated over SSH');
  await clock.go(100);
  t.equal(told.length, 1, 'nothing of what is over');
});

t.test('slow is more than 80 %, and never what has no budget', async (t) => {
  const record: StageRecord = {
    stage: 'upload',
    guest: 'control',
    ...{ boot: 1, startedAt: '', endedAt: '', endedBy: '', seconds: 81, budgetS: 100, usedShare: 0.81 },
  };
  const records = [record, { ...record, usedShare: 0.8 }, { ...record, budgetS: null, usedShare: null }];
  t.same(slowStages(records), [record]);
  t.equal(slowStage(record), 'upload of the control image used 81 % of its 100 s');
});

t.test('the longest stages, for what ends the whole case', async (t) => {
  const { clock, timeline } = booting();
  await clock.go(4);
  timeline.begin([{ stage: 'probes', budgetS: 180 }], { guest: 'image', boot: 2 });
  await clock.go(9);
  timeline.saw('the answer of pid1');
  t.equal(
    timeline.longest(),
    'time went to probes of boot 2 9.0 of 180 s, firmware+kernel+services 4.0 of 50 s; last seen: the answer of pid1',
  );
});

t.test('deadlines are sums of stages; UEFI gets more than a BIOS; a case holds all that it may enter', async (t) => {
  for (const budgets of Object.values(fruixBudgets)) {
    t.equal(provisionS(budgets), 600);
    t.equal(bootS(budgets, 'bios'), 60);
    t.equal(bootS(budgets, 'uefi'), 70);
    const once = 600 + 70;
    t.ok(caseS(budgets, 1) > 3 * once + budgets.probesS, 'the silence procedure boots three guests');
    t.ok(caseS(budgets, 2) - caseS(budgets, 1) >= budgets.rebootS + 70 + budgets.probesS);
  }
});
