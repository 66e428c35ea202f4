/** For tests: a command beside the phases, called in this process as `runCommand` calls it. */
import { type Command, failed } from '../harness/commands/command.ts';
import { Given } from '../harness/options/given.ts';
import { plainProgress } from '../harness/progress/open.ts';

export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Never rejects for what is the caller's fault: that is told and has its exit code. */
export async function callCommand(command: Command, ...args: readonly string[]): Promise<Called> {
  let [stdout, stderr] = ['', ''];
  const told = plainProgress({
    write: (text) => {
      stderr += text;
    },
  });
  const print = (line: string): void => {
    stdout += `${line}\n`;
  };
  const { signal } = new AbortController();
  try {
    const given = new Given(command.options, args, {}, command.operand ?? null, command.operands);
    return { code: await command.run({ given, environment: {}, print, told, signal }), stdout, stderr };
  } catch (thrown) {
    return { code: failed(thrown, told), stdout, stderr };
  }
}
