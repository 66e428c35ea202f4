/**
 * What a case that boots its guest twice reports of each boot. Who is to blame where the second does not come stands in
 * the matrix. Guests are simulated.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { BOOTS } from '../matrix/guests/boots.ts';
import { playOf } from './rows.ts';
import { type Played, witness } from './witness.ts';

const reported = ['booted twice', 'shims that come back at the second boot', 'what failed at the first boot'];
const rows = BOOTS.filter(({ name }) => reported.some((each) => name.startsWith(each)));
const outcomes = inLanes(rows.length, rows, (row) => witness(playOf(row, 'serial')));

async function played(name: string): Promise<Played> {
  const row = rows.find((each) => each.name.startsWith(name));
  const outcome = row && (await outcomes.get(row));
  if (outcome === undefined) throw new Error(`not run: ${name}`);
  return outcome;
}

t.test('each boot is reported by itself', async (t) => {
  const { metadata, stdout, file } = await played('booted twice');
  t.match(stdout, /^ok \d+ - compat_prefix_shims$/m);
  t.match(stdout, /^ok \d+ - compat_prefix_shims@boot2$/m);
  t.equal(metadata.get('compat_prefix_shims'), 'absent');
  t.equal(metadata.get('boots'), '2');
  t.equal(new Set(metadata.get('boot_ids')?.split(', ')).size, 2, 'two boot ids');
  t.notMatch([...metadata.keys()].join(' '), '@', 'the keys are those of the seed');
  t.match(file('evidence.ndjson'), /"name":"ready-marker-removal".*"marker":"absent"/);
  const { result } = JSON.parse(file('result.json'));
  const stages = result.timeline.map(({ stage, boot }: { stage: string; boot: number }) => `${stage} ${boot}`);
  t.same(
    stages.filter((stage: string) => stage.endsWith(' 2')),
    ['reboot 2', 'firmware+kernel+services 2', 'ssh 2', 'probes 2', 'ready 2', 'probes 2'],
  );
});

t.test('shims that come back at the second boot', async (t) => {
  const { metadata, stdout } = await played('shims that come back');
  t.match(stdout, /^ok \d+ - compat_prefix_shims$/m);
  t.match(stdout, /^not ok \d+ - compat_prefix_shims@boot2$/m);
  t.match(metadata.get('compat_prefix_shims'), /present/, 'judged over both');
});

t.test('what failed at the first boot is not booted again', async (t) => {
  const { metadata } = await played('what failed at the first boot');
  t.notMatch(metadata.get('boot_ids'), ',');
});
