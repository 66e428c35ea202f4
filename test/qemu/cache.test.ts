/** Real guests from kept images: two runs of the reference image on one lab, the second of which sends nothing. */
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const CACHE = ['--cache-sr', 'Embedded local storage', '--cache-gib', '4', '--cache-chain-max', '20'];

t.test('the second run sends 0 bytes, and passes', async (t) => {
  const root = workdirRoot(t);
  const lab = await startLab();
  t.teardown(() => lab.stop());
  const sent = (): readonly string[] => lab.said().match(/ \d+ bytes of vhd in /g) ?? [];
  for (const cache of ['made', 'hit']) {
    const outcome = await runPhase('phase9', root, ['--lab', lab.labFile, '--read-back', 'auto', ...CACHE]);
    t.equal(outcome.code, 0, outcome.stderr);
    const value = (key: string): string => outcome.metadata.get(key) ?? 'none';
    t.equal(value('result'), 'PASS');
    t.equal(value('cache'), cache);
    t.equal(value('image_identity'), 'verified');
    t.equal(value('leaked'), '0');
    t.equal(value('import_bytes') === '0', cache === 'hit');
    t.equal(sent().length, 1, 'uploads by the count of the lab');
    const times = ['time_provision_s', 'time_boot_s', 'time_total_s'].map((key) => `${key}=${value(key)}`);
    t.comment(`cache=${cache} import_bytes=${value('import_bytes')} ${times.join(' ')}`);
  }
});
