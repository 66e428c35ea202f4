/** A harness that could not listen blames nobody: the process stands still while it waits. Guests are simulated. */
import t from 'tap';
import { watchStandstill } from '../../harness/process/standstill.ts';
import { witness } from './witness.ts';

const MUTE = { boot: { sshd: 'never' } };
const cell = new Int32Array(new SharedArrayBuffer(4));

const ended = new AbortController();
watchStandstill(ended.signal);
t.teardown(() => ended.abort());

/** Stands still most of the time, until it is ended: 1.3 s, then a moment for others. */
function standStill(): () => void {
  let timer: NodeJS.Timeout | null = null;
  const again = (): void => {
    Atomics.wait(cell, 0, 0, 1_300);
    timer = setTimeout(again, 50);
  };
  timer = setTimeout(again, 300);
  return () => clearTimeout(timer ?? undefined);
}

for (const { name, guests, silent } of [
  { name: 'the image was silent twice, and the control answered', guests: [MUTE, {}, MUTE], silent: /silent|twice/ },
  { name: 'the control was silent, too', guests: [MUTE, MUTE], silent: /both silent/ },
]) {
  t.test(`standing still while the image is waited for: ${name}`, async (t) => {
    let end: () => void = () => undefined;
    const played = await witness({
      args: ['--budget-scale', '0.08'],
      answers: { guests, counts: 'VMs' },
      onStage: (stage) => {
        end();
        end = stage === 'boot' ? standStill() : () => undefined;
      },
    });
    end();
    t.equal(played.code, 3, played.stderr);
    t.equal(played.metadata.get('fault'), 'MACHINE_EXHAUSTED', played.stderr);
    t.match(played.metadata.get('reason') ?? played.stderr, silent);
    t.match(played.stderr, /this machine stood still for \d+ s of one of these waits/);
    t.same(played.left, []);
  });
}
