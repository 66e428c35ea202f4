/**
 * Asks the guest one question: frames a script, runs it over SSH, puts command and observation on
 * disk, returns the observation with its pointer. Judges nothing.
 */
import { randomBytes } from 'node:crypto';
import type { Pace } from '../deadline.ts';
import type { Observation } from '../model.ts';
import { frame, unframe } from '../probes/frame.ts';
import type { SshSession } from '../ssh/session.ts';
import type { Recorder } from '../workdir/evidence.ts';

/** What asking a guest needs of the world around it. */
export interface Asking extends Pace {
  readonly evidence: Recorder;
}

/** An observation and the evidence line that holds it. */
export interface Answer {
  readonly observation: Observation;
  readonly evidence: string;
  /** The command, by our clock. */
  readonly tookMs: number;
}

export interface Question {
  /** Name of the probe or of the identity script. */
  readonly name: string;
  /** Body of the POSIX script; framed here. */
  readonly body: string;
  readonly budgetMs: number;
}

/** Never throws for what the guest does. @throws the interrupt, at once: an answer cut by us is nobody's silence. */
export async function interview(world: Asking, session: SshSession, question: Question): Promise<Answer> {
  const nonce = randomBytes(12).toString('hex');
  const script = frame({ probe: question.name, nonce, body: question.body, patience: Math.max(1, world.budgetScale) });
  world.signal.throwIfAborted();
  const record = await session.run(question.name, script, question.budgetMs, world.signal);
  world.evidence.record('command', question.name, record);
  world.signal.throwIfAborted();
  const observation = unframe(record, nonce);
  const evidence = world.evidence.record('observation', question.name, observation);
  return { observation, evidence, tookMs: record.durationMs };
}
