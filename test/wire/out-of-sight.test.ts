/**
 * Xen Orchestra goes away, or loses its pool, while a run goes on: the run waits, passes, and leaves nothing. On a real
 * one an outage of one second of its pool takes two minutes. Guests are simulated.
 */
import type { Lab } from '../../lab/lab.ts';
import { KINDS } from './calls-of-a-run.ts';
import { runningGuest } from './operators-vm.ts';
import { playRows } from './play-rows.ts';
import { lab, PASS, type Row } from './rows.ts';
import type { Play } from './witness.ts';

/** The long rows only wait. */
const LANES = 12;
const { fixed = {}, 'older XO': older = {} } = KINDS;
/** What a real one takes. */
const LONG_S = 120;
/** The scenario's boot budget has 60 s. */
const PATIENT = 3;

function ask({ url, token }: Lab, path: string): void {
  const headers = { cookie: `authenticationToken=${token}` };
  void fetch(`${url}/embedded/v0/${path}`, { method: 'POST', headers });
}
const at = (wanted: string, path: string): Pick<Play, 'onStage'> => ({
  onStage: (stage, { lab }) => void (stage === wanted && ask(lab, path)),
});
const lost = (seconds: number): string => `lose-pool?seconds=${seconds}`;

const LONG: readonly Row[] = [
  {
    name: 'the pool is lost for two minutes as the guest boots',
    faults: [`vanish-pool=${LONG_S}`],
    scale: PATIENT,
    // Else it would answer before anybody looks for the VM.
    answers: { guests: [{ boot: { delayMs: 10_000 } }] },
    ...PASS,
  },
  {
    name: 'the pool is lost for two minutes before vm.start',
    faults: [`vanish-pool=${LONG_S}@vm.start`],
    scale: PATIENT,
    ...PASS,
  },
  { name: 'the pool is lost for two minutes at the probes', ...at('probe', lost(LONG_S)), ...PASS },
  { name: 'the pool is lost for two minutes at clean-up', ...at('dispose', lost(LONG_S)), ...PASS },
  { name: 'the pool is lost for two minutes at the upload', faults: [`vanish-pool=${LONG_S}@upload`], ...PASS },
  {
    name: "the pool is lost for two minutes at the upload to the operator's disk",
    ...fixed,
    faults: [`vanish-pool=${LONG_S}@upload`],
    ...PASS,
  },
  {
    name: 'the pool is lost for longer than the guest may take to start',
    faults: ['vanish-pool=60'],
    ...{ ...lab('XO_OBJECT_LATE'), says: /XO lists neither VM \S+ nor its pool/ },
  },
  {
    name: 'the pool is lost for longer than the guest may take to answer',
    answers: { guests: [{ boot: { sshd: 'never' } }] },
    onStage: (stage, { lab, other }) => {
      if (stage === 'boot')
        void other()
          .then(runningGuest)
          .then(() => ask(lab, lost(60)));
    },
    ...{ ...lab('VM_LOST'), says: /XO lists neither VM \S+ nor its pool/ },
  },
  {
    name: 'there is no pool at the start: told at once, as an XO that is not there',
    faults: ['vanish-pool=3@xo.getAllObjects'],
    ...{ ...lab('XO_OBJECT_LATE'), says: /Xen Orchestra shows no pool/ },
  },
];

const POOL_AT = ['vm.create', 'vdi.set', 'vm.attachDisk', 'vm.setBootOrder', 'tag.add', 'vm.stop', 'vm.delete'];
const RESTART_AT = ['vdi.set', 'vm.create', 'vm.attachDisk', 'vm.start', 'vm.stop', 'vm.delete', 'vdi.delete'];

const SHORT: readonly Row[] = [
  ...[...POOL_AT, 'vdi.delete'].map(
    (method): Row => ({
      name: `the pool is lost for seconds at ${method}`,
      faults: [`vanish-pool=3@${method}`],
      ...PASS,
    }),
  ),
  ...['tag.add', 'tag.remove', 'vm.start', 'vm.stop'].map(
    (method): Row => ({
      name: `the pool is lost for seconds at ${method} on the operator's VM`,
      ...fixed,
      ...{ faults: [`vanish-pool=3@${method}`], ...PASS },
    }),
  ),
  ...RESTART_AT.map(
    (method): Row => ({ name: `XO restarts at ${method}`, faults: [`restart=${method}:1`], ...PASS, reconnects: 1 }),
  ),
  ...['tag.add', 'tag.remove', 'vm.start', 'vm.stop'].map(
    (method): Row => ({
      name: `XO restarts at ${method} on the operator's VM`,
      ...fixed,
      ...{ faults: [`restart=${method}:1`], ...PASS, reconnects: 1 },
    }),
  ),
  ...['boot', 'identify', 'probe', 'dispose'].map(
    (stage): Row => ({ name: `XO restarts at the stage ${stage}`, ...at(stage, 'restart?seconds=1'), ...PASS }),
  ),
  ...['boot', 'probe', 'dispose'].map(
    (stage): Row => ({
      name: `XO restarts at the stage ${stage}, with the operator's VM`,
      ...fixed,
      ...{ ...at(stage, 'restart?seconds=1'), ...PASS },
    }),
  ),
  // Longer than all pauses between tries taken together.
  ...[1, 10].flatMap((seconds) =>
    [
      { name: `XO is away for ${seconds} s from the middle of the upload on`, kind: {} },
      { name: `the same, of the upload to the operator's disk`, kind: fixed },
      { name: `the same, of the multipart upload of an older XO`, kind: older },
    ].map(
      ({ name, kind }): Row => ({
        ...kind,
        name: `${name} (${seconds} s)`,
        faults: [`upload-restart=0.5:${seconds}`],
        ...PASS,
      }),
    ),
  ),
  { name: 'an upload is cut once', faults: ['upload-cut=0.5:once'], ...PASS },
  { name: "an upload to the operator's disk is cut once", ...fixed, faults: ['upload-cut=0.5:once'], ...PASS },
];

playRows([...LONG, ...SHORT], LANES);
