/** Progress and the closing lines for a person, on stderr: live on a terminal, plain lines elsewhere. */
import type { Tell } from '../boot.ts';
import type { FaultRecord } from '../model.ts';
import { escapeValue, headline, keyFacts, type Report, warnings } from '../report.ts';
import { scrub } from '../secrets.ts';

const TRANSFER_EVERY_MS = 200;
/** Without a terminal a wait says something this often. */
const WAITING_EVERY_MS = 15_000;
/** Without a terminal a transfer says something at each of these shares of its bytes. */
const PLAIN_STEPS = 4;

/** Something to print to; `process.stderr` is one. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface People extends Tell {
  /** @param more what went wrong with the outputs themselves */
  closing(report: Report, more?: readonly string[]): void;
  /** @param more lines that help the caller */
  misuse(cause: FaultRecord, more?: readonly string[]): void;
}

/** What to say of an upload or a decompression: often on a terminal, a few times elsewhere. */
class Transfers {
  readonly #say: (text: string) => void;
  readonly #live: boolean;
  #word = '';
  #done = 0;
  #step = 0;
  #saidMs = 0;

  constructor(say: (text: string) => void, live: boolean) {
    this.#say = say;
    this.#live = live;
  }

  begin(): void {
    this.#step = 0;
  }

  tell(word: string, done: number, total: number): void {
    if (word !== this.#word || done < this.#done) this.begin();
    this.#word = word;
    this.#done = done;
    const nowMs = performance.now();
    const step = total > 0 ? Math.floor((done / total) * PLAIN_STEPS) : 0;
    if (this.#live ? done < total && nowMs - this.#saidMs < TRANSFER_EVERY_MS : step <= this.#step) return;
    this.#saidMs = nowMs;
    this.#step = step;
    const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);
    this.#say(`${word} ${mib(done)} of ${mib(total)} MiB`);
  }
}

/** Writes to `sink`; every line goes through the scrubber. */
export function people(sink: Sink): People {
  const startedMs = performance.now();
  const live = sink.isTTY === true;
  let open = false;
  let lastWaitingMs = 0;
  const endLive = (): void => {
    if (open) sink.write('\r\u001b[K');
    open = false;
  };
  const line = (text: string): void => {
    endLive();
    sink.write(`${scrub(text)}\n`);
  };
  const stamp = (): string => `[${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s]`;
  const overwrite = (text: string): void => {
    sink.write(`\r\u001b[K${stamp()} ${scrub(text)}`);
    open = true;
  };
  const transfers = new Transfers((text) => (live ? overwrite(text) : line(`${stamp()} ${text}`)), live);
  return {
    stage: (name) => {
      transfers.begin();
      lastWaitingMs = performance.now();
      line(`${stamp()} ${name}`);
    },
    note: (text) => line(`${stamp()} ${text}`),
    upload: (done, total) => transfers.tell('upload', done, total),
    unpack: (done, total) => transfers.tell('decompress', done, total),
    waiting: (seen, elapsedMs, budgetMs) => {
      const seconds = (ms: number): string => (ms / 1000).toFixed(0);
      const text = `waiting for the guest, ${seconds(elapsedMs)} of ${seconds(budgetMs)} s: ${seen}`;
      if (live) {
        overwrite(text);
      } else if (performance.now() - lastWaitingMs >= WAITING_EVERY_MS) {
        lastWaitingMs = performance.now();
        line(`${stamp()} ${text}`);
      }
    },
    closing: (report, more = []) => {
      const { verdict, result } = report;
      line('');
      line(headline(report));
      line(`workdir: ${report.workdir}`);
      for (const warning of warnings(report)) line(warning);
      line('');
      for (const [key, value] of keyFacts(report)) line(`${key}=${escapeValue(value)}`);
      if (verdict.status === 'FAIL' || verdict.status === 'ERROR') {
        const { cause } = verdict;
        line('');
        line(`cause:  ${cause.code}: ${oneLine(cause.message)}`);
        line(`fault:  ${BLAME[cause.party]}`);
        line(`remedy: ${cause.remedy}`);
        line(`look:   ${report.workdir}/evidence.ndjson, ${report.workdir}/console/`);
        line(`again:  ${report.repeat}`);
      }
      for (const text of keptLines(report)) line(text);
      for (const left of result?.leaked ?? []) line(`LEFT IN THE LAB: ${left}`);
      for (const each of more) line(oneLine(each));
    },
    misuse: (cause, more = []) => {
      const message = oneLine(cause.message);
      line(`${message}${message.endsWith('?') ? '' : '.'} ${cause.remedy}`);
      for (const each of more) line(each);
    },
  };
}

/** What a person needs who wants to look at the machine that stays. */
function keptLines({ kept }: Report): readonly string[] {
  if (kept === null) return [];
  const { commands, afterwards, until, vm, name } = kept;
  const gone =
    afterwards === 'deleted' ? 'then any sweep deletes it' : "then its lock is free; it is an operator's and stays";
  return [
    '',
    `KEPT: VM ${vm} ${name}, until ${until}; ${gone}`,
    `shell:   ${commands.shell}`,
    ...(commands.ssh === null ? [] : [`ssh:     ${commands.ssh}`]),
    `console: ${commands.console}`,
    `remove:  ${commands.remove}`,
  ];
}

const BLAME: Readonly<Record<FaultRecord['party'], string>> = {
  image: 'the image',
  lab: 'the lab; this says nothing about the image',
  machine: 'the machine that ran this; this says nothing about the image',
  caller: 'the way this was called',
  harness: 'ours, a bug of the harness; this says nothing about the image',
  undetermined: 'undetermined; this says nothing about the image',
  nobody: "nobody's",
};

function oneLine(text: string): string {
  return escapeValue(text.replace(/\s+/g, ' ').trim());
}
