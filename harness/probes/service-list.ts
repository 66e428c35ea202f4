/**
 * Reads the list of services from the facts of `askShepherd`: Shepherd's own over its socket, or what `herd status`
 * prints where that Guile does not run.
 */
import type { Observation } from '../model.ts';
import { said } from './guile-output.ts';

/** Headings of `herd status` under which something runs, or is about to; all others are of what does not. */
const HERD_HEADINGS: Readonly<Record<string, string>> = {
  Started: 'running',
  'Running timers': 'running',
  Starting: 'starting',
  Stopping: 'stopping',
};

/** One service, by all names that it provides (herd: the first), and its state in Shepherd's word. */
export interface ServiceState {
  readonly names: readonly string[];
  readonly state: string;
}

/** All services of an answer that `readTalk` calls answered; a string: why they are not known. */
export function readServices(observation: Observation): readonly ServiceState[] | string {
  const facts = observation.state === 'seen' ? observation.facts : {};
  const spoken = said(facts.talk_output ?? '');
  if (spoken.some(({ word }) => word === 'asking')) {
    const services = spoken
      .filter(({ word }) => word === 'service')
      .map(({ fields }): ServiceState => {
        const [first = '?', state = '?', ...others] = fields;
        return { names: [first, ...others], state };
      });
    // Said after the last service of a whole list.
    if (!spoken.some(({ word }) => word === 'answered')) return "Shepherd's list of services has no end";
    return services.length === 0 ? 'Shepherd listed no services' : services;
  }
  if (facts.herd_all_status !== '0') return `herd status ended with ${facts.herd_all_status ?? 'nothing'}`;
  const services: ServiceState[] = [];
  let state = '?';
  for (const line of (facts.herd_all_output ?? '').split('\n')) {
    const heading = /^([A-Z][A-Za-z -]*):$/.exec(line)?.[1];
    if (heading !== undefined) state = HERD_HEADINGS[heading] ?? 'stopped';
    const name = /^ \S (\S+)$/.exec(line)?.[1];
    if (name !== undefined) services.push({ names: [name], state });
  }
  return services.some(({ state }) => state === 'running') ? services : 'herd listed no running service';
}
