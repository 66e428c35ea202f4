/**
 * shepherd_services: exactly the declared services run.
 *
 * Observed: the states of all services, as the running Shepherd itself lists them (see shepherd-talk.ts).
 * Proof: Shepherd starts and watches them, and answers from its own table over the live socket.
 * What could fool it: a service whose program has just died and is not yet reaped; one that is `running` and does
 *   nothing (sshd and the ready marker have checks of their own). One-shot services that are done do not run and
 *   do not count. A service that is being started or stopped is neither: where that is all that differs, nothing
 *   was seen. A service is known by each of the names that it provides; herd shows only the first.
 * Which services are expected is data of the scenario, by boot mode (`servicesUnderInit`, `servicesAsPid1`).
 */
import type { Check, Observation, Probe } from '../model.ts';
import { check } from './check.ts';
import { readServices, type ServiceState } from './service-list.ts';
import { askShepherd, readTalk, TALK_PATHS, TALK_RUNS } from './shepherd-talk.ts';

const NAME = 'shepherd_services';

export const shepherdServices: Probe = {
  name: 'shepherd-services',
  look: 'settled',
  paths: [...TALK_PATHS, 'servicesUnderInit', 'servicesAsPid1'],
  runs: TALK_RUNS,
  observe: (guest) => guest.run(askShepherd(guest.paths)),
  expect: (observation, { bootMode, paths }): readonly [Check] => {
    const declared = bootMode === 'shepherd-pid1' ? paths.servicesAsPid1 : paths.servicesUnderInit;
    const expected = [...declared].sort().join(' ');
    const talk = readTalk(observation, paths);
    if (talk.kind === 'unobserved') return [check.unobserved(NAME, expected, talk.seen)];
    if (talk.kind !== 'answered') {
      return [check.failed(NAME, expected, 'none', `Shepherd is ${talk.kind}: ${talk.seen}`)];
    }
    return [compared(observation, declared, expected)];
  },
};

function compared(observation: Observation, declared: readonly string[], expected: string): Check {
  const services = readServices(observation);
  if (typeof services === 'string') return check.unobserved(NAME, expected, services);
  const named = services.flatMap(({ names }) => names);
  const twice = named.find((name, i) => named.indexOf(name) !== i);
  if (twice !== undefined) return check.unobserved(NAME, expected, `Shepherd named the service ${twice} twice`);
  const is = ({ names }: ServiceState, name: string): boolean => names.includes(name);
  const moving = services.filter(({ state }) => state === 'starting' || state === 'stopping');
  const running = services.filter(({ state }) => state === 'running');
  const missing = declared.filter((name) => ![...running, ...moving].some((service) => is(service, name)));
  const extra = running.filter(({ names }) => !names.some((name) => declared.includes(name)));
  const actual = running.map(({ names }) => names.find((name) => declared.includes(name)) ?? names[0] ?? '?');
  const shown = actual.sort().join(' ') || 'none';
  if (missing.length > 0 || extra.length > 0) {
    const parts = [
      ...missing.map(
        (name) => `missing: ${name} (${services.find((each) => is(each, name))?.state ?? 'unknown to it'})`,
      ),
      ...extra.map(({ names }) => `extra: ${names.join(' ')}`),
    ];
    return check.failed(NAME, expected, shown, parts.join('; '));
  }
  const unsettled = moving.filter(({ names }) => names.some((name) => declared.includes(name)));
  if (unsettled.length > 0) {
    const reason = unsettled.map(({ names, state }) => `${names[0]} is still ${state}`).join('; ');
    return check.unobserved(NAME, expected, reason);
  }
  return check.held(NAME, expected, shown);
}
