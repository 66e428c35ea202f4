/** For tests: `npm run probe` in this process, from its arguments to its exit code. */

import { probe } from '../harness/commands/probe.ts';
import { faultRecord } from '../harness/faults/faults.ts';
import { PROBE_OPTIONS } from '../harness/options/command-options.ts';
import { Given } from '../harness/options/given.ts';
import { plainProgress } from '../harness/progress/open.ts';
import { phase9XcpngBoot } from '../scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from '../scenarios/phase11-shepherd-pid1-xcpng.ts';

export interface Called {
  /** Null: it threw, as misuse does; `misuse` says what. */
  readonly code: number | null;
  readonly misuse: { readonly code: string; readonly message: string } | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface CallOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Told when a stage begins. */
  readonly onStage?: (name: string) => unknown;
}

const command = probe([phase9XcpngBoot, phase11ShepherdPid1Xcpng]);

export async function callProbe(
  args: readonly string[],
  { environment = {}, signal = new AbortController().signal, onStage = () => undefined }: CallOptions = {},
): Promise<Called> {
  const [out, err]: [string[], string[]] = [[], []];
  const startedMs = performance.now();
  const ended = (code: number | null, misuse: Called['misuse']): Called => {
    const seconds = (performance.now() - startedMs) / 1000;
    return { code, misuse, stdout: out.join('\n'), stderr: err.join(''), seconds };
  };
  try {
    const given = new Given(PROBE_OPTIONS, args, environment);
    const told = plainProgress({ write: (text) => err.push(text) }, (event) => {
      if (event.event === 'step-begins') onStage(event.step);
    });
    const code = await command.run({ given, environment, print: (line) => out.push(line), told, signal });
    return ended(code, null);
  } catch (thrown) {
    return ended(null, faultRecord(thrown));
  }
}
