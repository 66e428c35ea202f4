/**
 * Who is to blame for silence, on every kind of lab, with serial text and without. Guests are simulated: the first one
 * of a run is the image, the second the control, the third the image once more.
 */
import { SILENCE } from '../matrix/silence.ts';
import { playRows } from './play-rows.ts';
import { EYES } from './rows.ts';

/** A row waits far more than it works. */
const LANES = 12;

for (const eyes of EYES) playRows(Object.values(SILENCE).flat(), LANES, eyes);
