/**
 * `npm run matrix`: plays every row with serial text and without, and with a screen where it shows anything; prints the
 * table, and ends with the two figures that must be zero. `--real` plays broken reference guests on QEMU instead.
 */
import { EXIT } from '../../help/exits.ts';
import { helpText } from '../../help/text.ts';
import { inLanes } from '../lanes.ts';
import { differences, type Eyes, expectedOf, playOf, type Row, showsText } from '../wire/rows.ts';
import { type Played, witness } from '../wire/witness.ts';
import { MATRIX_HELP, type MatrixWish, matrixArguments } from './arguments.ts';
import { type Classes, GUESTS, LABS, SLOW_LABS } from './classes.ts';
import { playReal } from './real.ts';
import { SILENCE } from './silence.ts';
import { closing, type Entry, exitOf, HEADING, lineOf, tally } from './table.ts';

/** A row waits more than it works; the slow ones begin first. */
const LANES = 24;
/** A row whose screen is read works: a core and 240 MB for some seconds. */
const SCREEN_LANES = 2;

interface Wanted {
  readonly kind: string;
  readonly row: Row;
  readonly eyes: Eyes;
}

function wanted(of: Classes, eyes: readonly Eyes[]): readonly Wanted[] {
  return Object.entries(of).flatMap(([kind, rows]) =>
    rows.flatMap((row) =>
      eyes.filter((each) => each !== 'screen' || showsText(row)).map((each) => ({ kind, row, eyes: each })),
    ),
  );
}

async function played(one: Wanted): Promise<Entry> {
  const { kind, row, eyes } = one;
  const startedMs = performance.now();
  const base = { name: `${kind}: ${row.name}`, eyes, expected: expectedOf(row, eyes) };
  try {
    const it: Played = await witness(playOf(row, eyes));
    const said = (key: string): string => it.metadata.get(key) ?? 'nothing';
    const got = { result: said('result'), fault: said('fault'), party: said('fault_party') };
    return { ...base, got, differences: differences(row, eyes, it), seconds: it.seconds };
  } catch (error) {
    const seconds = (performance.now() - startedMs) / 1000;
    return { ...base, got: null, differences: [`was not played to its end: ${String(error)}`], seconds };
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(helpText(MATRIX_HELP));
    return EXIT.fine;
  }
  let wish: MatrixWish;
  try {
    wish = matrixArguments(args);
  } catch (error) {
    process.stderr.write(`matrix: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.misuse;
  }
  const startedMs = performance.now();
  const { only, eyes, real } = wish;
  process.stdout.write(`${HEADING}\n`);
  const entries: Entry[] = [];
  for await (const entry of real ? playReal(only, eyes) : simulated(only, eyes)) {
    entries.push(entry);
    process.stdout.write(`${lineOf(entry)}\n`);
  }
  const counted = tally(entries);
  process.stdout.write(`${closing(counted, (performance.now() - startedMs) / 1000)}\n`);
  return exitOf(counted);
}

async function* simulated(only: string, eyes: readonly Eyes[]): AsyncIterable<Entry> {
  const all = wanted({ 'slow labs': SLOW_LABS, ...LABS, ...SILENCE, ...GUESTS }, eyes);
  const chosen = all.filter(({ kind, row }) => `${kind}: ${row.name}`.includes(only));
  for (const read of [false, true]) {
    const some = chosen.filter((one) => (one.eyes === 'screen') === read);
    const outcomes = inLanes(read ? SCREEN_LANES : LANES, some, played);
    for (const outcome of outcomes.values()) yield await outcome;
  }
}

// The reporter of a run loads tap, whose own limit of 30 s would end this process.
process.env.TAP_TIMEOUT ??= '0';
process.exitCode = await main(process.argv.slice(2));
