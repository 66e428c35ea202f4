/**
 * shepherd_status: Shepherd answers on its control socket and its root service runs.
 *
 * Observed: the reply to a `status` request over the live socket (see shepherd-talk.ts).
 * Proof: only a Shepherd that runs its event loop can reply, and the reply names the state.
 * What could fool it: a socket file whose Shepherd is gone (it stays, and refuses); a Shepherd that
 *   is blocked (it accepts and never answers); herd's exit status, which is 0 for stopped services
 *   too, so the state's word counts. A process by that name proves nothing and is not looked for.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { askShepherd, readTalk, TALK_PATHS, TALK_RUNS } from './shepherd-talk.ts';

const NAME = 'shepherd_status';
const EXPECTED = 'running';

export const shepherdStatus: Probe = {
  name: 'shepherd-status',
  look: 'settled',
  paths: TALK_PATHS,
  runs: TALK_RUNS,
  observe: (guest) => guest.run(askShepherd(guest.paths)),
  expect: (observation, { paths }): readonly [Check] => {
    const talk = readTalk(observation, paths);
    switch (talk.kind) {
      case 'unobserved':
        return [check.unobserved(NAME, EXPECTED, talk.seen)];
      case 'not running':
      case 'not answering':
        return [check.failed(NAME, EXPECTED, talk.kind, talk.seen)];
      case 'answered':
        break;
    }
    if (talk.status === null) {
      return [check.unobserved(NAME, EXPECTED, `Shepherd did not name the state of its root service: ${talk.seen}`)];
    }
    if (talk.status !== EXPECTED) {
      return [check.failed(NAME, EXPECTED, talk.status, `Shepherd says that its root service is ${talk.status}`)];
    }
    return [check.held(NAME, EXPECTED, EXPECTED)];
  },
};
