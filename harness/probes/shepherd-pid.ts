/**
 * shepherd_pid: which process Shepherd is, by two witnesses.
 *
 * Observed: `(getpid)` evaluated by the Shepherd behind the live socket, and the pid file.
 * Proof: the process that holds the socket answers with its own pid; in shepherd-pid1 that is 1, and
 *   no process but PID 1 can truthfully say so.
 * What could fool it: a pid file of an earlier boot, or one Shepherd's pid file beside another
 *   Shepherd's socket. So both must be there and agree. The process name decides nothing: on FreeBSD
 *   Shepherd shows as guile.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { askShepherd, readTalk, TALK_PATHS, TALK_RUNS } from './shepherd-talk.ts';

const NAME = 'shepherd_pid';

export const shepherdPid: Probe = {
  name: 'shepherd-pid',
  look: 'settled',
  paths: TALK_PATHS,
  runs: TALK_RUNS,
  observe: (guest) => guest.run(askShepherd(guest.paths)),
  expect: (observation, { bootMode, paths }): readonly [Check] => {
    const isPid1 = bootMode === 'shepherd-pid1';
    const expected = isPid1 ? '1' : 'a number above 1';
    const talk = readTalk(observation, paths);
    if (talk.kind === 'unobserved') return [check.unobserved(NAME, expected, talk.seen)];
    if (talk.kind !== 'answered')
      return [check.failed(NAME, expected, 'none', `Shepherd is ${talk.kind}: ${talk.seen}`)];
    if (talk.pid === null) {
      return [check.unobserved(NAME, expected, `Shepherd did not answer (getpid) with a number: ${talk.seen}`)];
    }
    const actual = String(talk.pid);
    if (isPid1 !== (talk.pid === 1)) {
      return [check.failed(NAME, expected, actual, `Shepherd says that it is process ${actual}`)];
    }
    const facts = observation.state === 'seen' ? observation.facts : {};
    const file = facts.pid_file;
    if (file === undefined) {
      return [check.unobserved(NAME, expected, `no pid file at ${paths.shepherdPidFile.join(', ')}`)];
    }
    const written = (facts.pid_file_content ?? '').trim();
    if (written !== actual) {
      const reason = `the live socket says ${actual}, ${file} says ${JSON.stringify(written)}`;
      return [check.failed(NAME, expected, actual, reason)];
    }
    return [check.held(NAME, expected, actual)];
  },
};
