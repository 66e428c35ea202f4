/**
 * Judges a stored run again: its evidence through today's parsers, probes and judge. What was asked by an older version
 * of a probe, was not asked, or is cut is unobserved: it never makes a PASS. Nothing is written. Pure but for what a
 * probe's `observe` does with a guest that only notes the question.
 */

import { nameAt } from '../boot/boots.ts';
import { FAULTS, type FaultCode } from '../faults/fault-table.ts';
import { unlessTooSlow } from '../guest/awaited.ts';
import { judgeImage } from '../guest/identity.ts';
import { worse } from '../guest/probing.ts';
import { judge } from '../judge.ts';
import type { CaseFacts, Check, FaultRecord, JudgedCheck, Probe, Scenario, Verdict } from '../model.ts';
import { sequenceOf } from './evidence-lines.ts';
import { asksTheSame, type Question, type Questions, questionsOf } from './questions.ts';
import type { StoredRun } from './stored-run.ts';

export interface Rejudged {
  readonly verdict: Verdict;
  /** What could not be taken as it was, and what was taken as recorded; one sentence each. */
  readonly notes: readonly string[];
}

/** @param scenario today's, of the same name */
export async function rejudge(run: StoredRun, scenario: Scenario): Promise<Rejudged> {
  const { report, evidence } = run;
  const paths = { ...scenario.paths, ...report.asked?.facts?.paths };
  const facts: CaseFacts = { bootMode: report.bootMode, paths, expectedClosure: report.expectedClosure };
  const questions = questionsOf(evidence);
  const bodies = new Map<Probe, string>();
  for (const probe of scenario.probes) bodies.set(probe, await bodyOf(probe, facts));
  const fault = faultOf(run) ?? imageFault(run, questions);
  const boots = Math.max(0, ...looksAt(run, questions).map(({ question }) => question.boot));
  const checks: JudgedCheck[] = [];
  for (let boot = 1; boot <= boots; boot++) {
    for (const probe of scenario.probes) {
      const looking = { run, questions, facts, probe, body: bodies.get(probe) ?? '', stopped: fault !== null };
      const seen = lookAgain(looking, boot);
      checks.push(...seen.map((check) => (boot === 1 ? check : { ...check, name: nameAt(check.name, boot) })));
    }
  }
  const lacking = fault === null ? lacks(run, boots) : [];
  return { verdict: judge({ checks: [...checks, ...lacking], fault }), notes: notesOf(run, scenario, fault) };
}

/** What the probe would run in a guest, today. */
async function bodyOf(probe: Probe, { paths, bootMode }: CaseFacts): Promise<string> {
  let asked = '';
  await probe.observe({
    ...{ paths, bootMode },
    run: async (body) => {
      asked = body;
      return { state: 'unseen', reason: 'not asked' };
    },
  });
  return asked;
}

interface Looking {
  readonly run: StoredRun;
  readonly questions: Questions;
  readonly facts: CaseFacts;
  readonly probe: Probe;
  readonly body: string;
  /** Something else ended the run: what was not judged any more is no news. */
  readonly stopped: boolean;
}

/** Each look of each probe, in order: a judgement of then, with the question that it was made from. */
function looksAt({ evidence }: StoredRun, questions: Questions): readonly { name: string; question: Question }[] {
  return evidence.lines.flatMap(({ kind, name, data }) => {
    if (kind !== 'judged' || !Array.isArray(data)) return [];
    const [first] = data as readonly { readonly evidence?: unknown }[];
    const pointer = typeof first?.evidence === 'string' ? sequenceOf(first.evidence) : null;
    const question = pointer === null ? undefined : questions.get(pointer);
    return question === undefined ? [] : [{ name, question }];
  });
}

/**
 * As `runProbes` takes them: the last look counts, of the first and the last one of `twice` the worse, and nothing that
 * was awaited in vain on a guest that was too slow.
 */
function lookAgain(looking: Looking, boot: number): readonly JudgedCheck[] {
  const { run, questions, probe, body } = looking;
  const looks = looksAt(run, questions).filter(({ name, question }) => name === probe.name && question.boot === boot);
  const [first, last] = [looks[0]?.question, looks.at(-1)?.question];
  if (first !== undefined && last !== undefined) {
    const late = judged(looking, last);
    if (probe.look === 'awaited') {
      const tookMs = looks.map(({ question }) => question.tookMs);
      return late.map((check) => unlessTooSlow(check, tookMs, run.report.budgetScale ?? 1));
    }
    return probe.look === 'twice' && first !== last ? worse(judged(looking, first), late) : late;
  }
  if (looking.stopped) return [];
  // Asked by another probe, or for a probe that is younger than the run.
  const same = [...questions.values()].filter((each) => each.boot === boot && asksTheSame(each, body)).at(-1);
  return judged(looking, same ?? null);
}

function judged({ facts, probe, body }: Looking, question: Question | null): readonly JudgedCheck[] {
  const evidence = question === null ? '' : `evidence.ndjson#${question.sequence}`;
  if (question === null) {
    const unasked = probe.expect({ state: 'unseen', reason: 'it was not asked in this run' }, facts);
    return unasked.map((check) => ({ ...check, evidence }));
  }
  const checks = probe.expect(question.observation, facts);
  const older = !asksTheSame(question, body);
  return checks.map((check) => ({ ...(older ? outdated(check) : check), evidence }));
}

/** Facts that were asked for otherwise may mean something else: neither a PASS nor a FAIL can rest on them. */
function outdated(check: Check): Check {
  const now =
    check.outcome === 'unobserved' ? check.reason : `today's probe would say ${check.outcome}: ${check.actual}`;
  const reason = `it was asked by another version of the probe; ${now}`;
  return { ...check, actual: 'unobserved', outcome: 'unobserved', reason };
}

const isCode = (code: string): code is FaultCode => Object.hasOwn(FAULTS, code);

/** What stopped the case, if it was not its checks; who is to blame for it is read from today's table. */
function faultOf({ report }: StoredRun): FaultRecord | null {
  const { cause, checks } = report;
  if (cause === null) return null;
  const byChecks = judge({ checks, fault: null });
  const fromChecks = byChecks.status === 'FAIL' || byChecks.status === 'ERROR' ? byChecks.cause : null;
  if (checks.length > 0 && fromChecks?.code === cause.code && fromChecks.message === cause.message) return null;
  return isCode(cause.code) ? { ...cause, ...pick(FAULTS[cause.code]) } : cause;
}

const pick = ({ party, remedy }: Pick<FaultRecord, 'party' | 'remedy'>): Pick<FaultRecord, 'party' | 'remedy'> => ({
  ...{ party, remedy },
});

/** The guest's own word on its disk, judged again. */
function imageFault({ report }: StoredRun, questions: Questions): FaultRecord | null {
  const identity = report.image?.identity ?? null;
  if (identity === null) return null;
  const asked = [...questions.values()].filter(({ name }) => name === 'image-identity');
  const wrong = asked
    .map(({ observation }) => judgeImage(observation, identity))
    .find((each) => each.state === 'mismatch');
  if (wrong?.state !== 'mismatch') return null;
  const message = `the guest booted from another disk: ${wrong.reason}`;
  return { code: 'IMAGE_UNPROVEN', ...pick(FAULTS.IMAGE_UNPROVEN), message, causes: [] };
}

/** What a PASS needs beyond its checks. */
function lacks({ report, evidence }: StoredRun, boots: number): readonly JudgedCheck[] {
  const { result, boots: ordered } = report;
  const lack = (name: string, expected: string, reason: string): JudgedCheck => ({
    ...{ name, expected, actual: 'unobserved', outcome: 'unobserved', reason, evidence: '' },
  });
  const short = boots < ordered;
  return [
    ...(evidence.cut === null ? [] : [lack('stored_evidence', 'whole', evidence.cut)]),
    ...(short ? [lack('stored_boots', String(ordered), `${boots} of ${ordered} boots were looked at`)] : []),
    ...(result?.guestIdentity === 'verified'
      ? []
      : [lack('guest_identity', 'verified', 'the run did not prove which machine answered')]),
    ...(result !== null && result.imageIdentity !== 'unproven'
      ? []
      : [lack('image_identity', 'verified or chain', 'the run did not prove which image it booted')]),
  ];
}

function notesOf({ report, notes }: StoredRun, scenario: Scenario, fault: FaultRecord | null): readonly string[] {
  const known = new Set(scenario.probes.map(({ name }) => name));
  const gone = (report.asked?.probes ?? []).filter((name) => !known.has(name));
  const { cause } = report;
  return [
    ...notes,
    ...(report.asked?.facts ? [] : ["the paths of today's scenario were taken: the run did not keep its own"]),
    ...(gone.length === 0 ? [] : [`no probe of today: ${gone.join(', ')}`]),
    ...(fault !== null && cause?.code === fault.code
      ? [`what stopped the run (${fault.code}) is taken as recorded; only who is to blame for it is read anew`]
      : ['that the machine was ours is taken as recorded: it was measured on a clock of then']),
  ];
}
