/** All rows of the matrix that need no machine, by class. A new row is one entry in the file of its class. */
import type { Row } from '../wire/rows.ts';
import { BOOTS } from './guests/boots.ts';
import { CONSOLE } from './guests/console.ts';
import { DISKS, IDENTITY, TOOLS } from './guests/machine.ts';
import { CLOCK, MARKER } from './guests/marker.ts';
import { ANSWERS, MIDDLE } from './guests/middle.ts';
import { MODULE_ROWS } from './guests/modules.ts';
import { PID1 } from './guests/pid1.ts';
import { RUNTIME } from './guests/runtime.ts';
import { SHEPHERD } from './guests/shepherd.ts';
import { SHIMS } from './guests/shims.ts';
import { SSHD } from './guests/sshd.ts';
import { NETWORK, STORAGE } from './labs/network.ts';
import { RESOURCES, SLOW_LABS } from './labs/resources.ts';
import { SOMEBODY } from './labs/somebody.ts';
import { TOKEN } from './labs/token.ts';

export { SLOW_LABS };

export type Classes = Readonly<Record<string, readonly Row[]>>;

/** Broken guests. */
export const GUESTS: Classes = {
  console: CONSOLE,
  boots: BOOTS,
  sshd: SSHD,
  middle: MIDDLE,
  marker: MARKER,
  clock: CLOCK,
  disks: DISKS,
  shims: SHIMS,
  modules: MODULE_ROWS,
  runtime: RUNTIME,
  shepherd: SHEPHERD,
  pid1: PID1,
  identity: IDENTITY,
  tools: TOOLS,
  answers: ANSWERS,
};

/** Broken labs; those that take a minute are apart, so that they begin first. */
export const LABS: Classes = {
  somebody: SOMEBODY,
  network: NETWORK,
  storage: STORAGE,
  resources: RESOURCES,
  token: TOKEN,
};
