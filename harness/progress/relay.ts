/** Reads the events that a process of ours writes. What is no event is left out: nothing it writes ends a night. */
import type { Readable } from 'node:stream';
import { EVENT_NAMES, EVENTS_SCHEMA, type Event } from './event.ts';

/** No event comes near it. */
const LINE_CHARACTERS_MAX = 1_048_576;

/** @param onEvent what it throws is an event of a form that nobody knows, and is left out, too */
export function readEvents(stream: Readable, onEvent: (event: Event) => void): void {
  let partial = '';
  stream.on('error', () => stream.destroy());
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = (lines.pop() ?? '').slice(-LINE_CHARACTERS_MAX);
    for (const line of lines) handOn(line, onEvent);
  });
}

function handOn(line: string, onEvent: (event: Event) => void): void {
  try {
    const event = JSON.parse(line) as Partial<Event> | null;
    const known =
      event?.schema === EVENTS_SCHEMA && typeof event.event === 'string' && Object.hasOwn(EVENT_NAMES, event.event);
    if (known && typeof event.time === 'string') onEvent(event as Event);
  } catch {
    return; // half a line of a process that was killed
  }
}
