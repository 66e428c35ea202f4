/**
 * What is seen of a guest that boots, as ends of its stages. From outside only the network is seen (an answer of its
 * TCP, an address that it got, sshd's banner); where the lab has a serial console, also kernel and first process.
 */

import type { Address } from '../lab.ts';
import type { Signs } from './arrival.ts';
import type { Timeline } from './timeline.ts';

interface Mark {
  /** The stage that has begun where this is read. */
  readonly begins: 'kernel' | 'services';
  readonly pattern: RegExp;
  readonly why: string;
}

const MARKS: readonly Mark[] = [
  { begins: 'kernel', pattern: /^---<<BOOT>>---/m, why: "FreeBSD's kernel prints it first" },
  { begins: 'kernel', pattern: /^Copyright \(c\) 1992-\d+ The FreeBSD Project/m, why: 'its first line in older ones' },
  { begins: 'kernel', pattern: /\bLinux version \d/, why: "Linux's banner, unless it is quiet" },
  { begins: 'services', pattern: /\bRun \S*\/?init as init process/, why: 'Linux starts the first process' },
  {
    begins: 'services',
    pattern: /^Setting hostuuid: |^Starting file system checks:/m,
    why: "FreeBSD's rc, at its start",
  },
  { begins: 'services', pattern: /^fruix: |fruix-shepherd-started/m, why: "Fruix's launcher and its Shepherd" },
];

/** Sources of an address that know it because the guest asked for one; a slot is known before it boots. */
const KNOWN_BEFOREHAND = ['slot'];

/** Tells the timeline. */
export class BootSigns implements Signs {
  readonly #timeline: Timeline;
  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  console(text: string): void {
    for (const begins of ['kernel', 'services'] as const) {
      const line = MARKS.filter((mark) => mark.begins === begins).flatMap(({ pattern }) => lineOf(text, pattern))[0];
      // Not exact: a kernel whose first process prints nothing that is known here looks the same.
      if (line !== undefined) this.#timeline.reached(begins, `console: "${line}"`, begins === 'services');
    }
  }

  address({ source, host, sure }: Address): void {
    if (!sure || KNOWN_BEFOREHAND.includes(source)) return;
    this.#timeline.reached('services', `it has the address ${host} (${source})`, true);
  }

  refused(address: Address): void {
    if (address.sure) this.#timeline.reached('services', 'its network answers (connection refused)', true);
  }

  banner(): void {
    this.#timeline.reached('ssh', "sshd's banner", true);
  }
}

function lineOf(text: string, pattern: RegExp): readonly string[] {
  const match = pattern.exec(text);
  if (match === null) return [];
  const start = text.lastIndexOf('\n', match.index) + 1;
  const end = text.indexOf('\n', match.index);
  return [
    text
      .slice(start, end < 0 ? undefined : end)
      .trim()
      .slice(0, 120),
  ];
}
