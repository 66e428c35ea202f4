/** A file of answers is read whole or refused with the key, what was expected and what was given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { guestAnswersOf, HEALTHY, readGuestAnswers } from '../../lab/simulated/guest-answers.ts';

t.test('what is not said is healthy', async (t) => {
  t.same(guestAnswersOf({}, 'f'), { guests: [], disks: {}, counts: 'VMs' });
  t.same(guestAnswersOf({ guests: [{}] }, 'f').guests, [HEALTHY]);
});

t.test('one answer or several, disks in any case', async (t) => {
  const read = guestAnswersOf(
    { guests: [{ answers: { a: { hang: true }, b: [{}, { after: 3 }] } }], disks: { AB: [{}] } },
    'f',
  );
  t.match(read.guests[0]?.answers, { a: [{ hang: true, after: 1 }], b: [{ after: 1 }, { after: 3 }] });
  t.same(Object.keys(read.disks), ['ab']);
});

const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [[], /f: expected an object, given \[\]/],
  [{ guest: [] }, /f: expected the keys guests, disks, counts, given "guest"/],
  [{ guests: {} }, /f: guests: expected a list, given \{\}/],
  [{ guests: [{ bootMode: 'init' }] }, /guests\[0\]\.bootMode: expected one of .*shepherd-pid1, given "init"/],
  [{ guests: [{ boot: { sshd: 'gone' } }] }, /guests\[0\]\.boot\.sshd: expected one of normal, never/],
  [{ guests: [{ boot: { delayMs: '5' } }] }, /boot\.delayMs: expected a whole number, given "5"/],
  [{ guests: [{ boot: { haltAfterMs: -1 } }] }, /haltAfterMs: expected a whole number, given -1/],
  [{ guests: [{ closure: 1 }] }, /closure: expected a string, given 1/],
  [{ guests: [{ answers: { pid1: { kind: 'absent' } } }] }, /answers\.pid1\[0\]: expected the keys after, facts/],
  [{ guests: [{ answers: { pid1: { facts: { a: 1 } } } }] }, /facts\.a: expected a string or null, given 1/],
  [{ guests: [{ answers: { pid1: { hang: 'yes' } } }] }, /hang: expected true or false, given "yes"/],
  [{ guests: [{ shell: { crlf: 1 } }] }, /shell\.crlf: expected true or false, given 1/],
  [{ counts: 'boots' }, /counts: expected one of VMs, starts, given "boots"/],
  [{ disks: { a: {} } }, /disks\.a: expected a list/],
];
for (const [given, says] of REFUSED) {
  t.test(`refused: ${JSON.stringify(given)}`, async (t) => {
    t.throws(() => guestAnswersOf(given, 'f'), { message: says });
  });
}

t.test('a file that is missing or no JSON is named', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bw-answers-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'answers.json');
  t.throws(() => readGuestAnswers(path), { message: /expected a JSON file, given .*answers\.json: ENOENT/ });
  writeFileSync(path, '{"guests": [}');
  t.throws(() => readGuestAnswers(path), { message: /expected a JSON file/ });
  writeFileSync(path, '{"guests": [{"boot": {"delayMs": 5}}]}');
  t.match(readGuestAnswers(path), { guests: [{ boot: { delayMs: 5 } }] });
});
