/** What a session tells of the Xen Orchestra that it is with: version, user and rights, token, methods, clock. */
import type { Deadline } from '../../deadline.ts';
import type { Finding } from '../../finding.ts';
import { type Look, look, ok, unknown, warning } from '../../finding.ts';
import { xoNowMs } from '../endpoint.ts';
import type { Session } from '../session.ts';
import type { XoLabSettings } from '../settings.ts';

/** Every method that some run calls. `disk.import` is for servers without a REST API only. */
const METHODS = [
  ...['xo.getAllObjects', 'tag.add', 'tag.remove', 'vdi.set', 'vdi.delete', 'token.create', 'token.deleteOwn'],
  ...['vm.create', 'vm.attachDisk', 'vm.setBootOrder', 'vm.start', 'vm.stop', 'vm.delete', 'system.getServerVersion'],
];

/** A run may wait for the console, the control and the image once more; a night of runs takes this long. */
const TOKEN_WARNING_MS = 7 * 24 * 3600_000;
const CLOCK_WARNING_MS = 60_000;
const RECORDED_VERSION = '5.207.2';

type Raw = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Raw => typeof value === 'object' && value !== null;

const loopback = (base: string): boolean => /^(127\.|localhost$|\[::1\]$)/.test(new URL(base).hostname);

/** How the connection is protected. */
export function connection({ endpoint }: Session, { tls }: XoLabSettings): Look {
  const { base } = endpoint;
  if (base.startsWith('http:')) {
    if (loopback(base)) return ok(`${base}, plain, on this machine`);
    return warning(
      `${base}: plain HTTP: whoever listens on the way reads the token`,
      'Give Xen Orchestra TLS (https).',
    );
  }
  if (tls.insecure) {
    return warning(
      `${base}: any certificate is taken`,
      'Pin the certificate (xo.fingerprint) or name its CA (xo.ca_file).',
    );
  }
  if (tls.fingerprint !== null) return ok(`${base}, certificate pinned`);
  return ok(`${base}, certificate signed by ${tls.caPem === null ? 'a CA that this machine knows' : 'xo.ca_file'}`);
}

export function version({ xoVersion }: Session): Look {
  if (xoVersion === RECORDED_VERSION) return ok(`xo-server ${xoVersion}`);
  return ok(`xo-server ${xoVersion} (the contract was recorded from ${RECORDED_VERSION})`);
}

/** `acl.getCurrentPermissions`: `{ <id>: { view: 1, operate: 1, administrate: 1 } }` (read in XO's sources). */
function administers(reply: unknown, id: string): boolean {
  const own = isRecord(reply) ? reply[id] : undefined;
  return isRecord(own) && Boolean(own.administrate);
}

/** @param poolId null: not known, since placement is broken */
export async function rights(session: Session, poolId: string | null, deadline: Deadline): Promise<Look> {
  const { email, permission } = session.user;
  if (permission === 'admin') return ok(`${email}, administrator of Xen Orchestra`);
  const reply = await session.call('acl.getCurrentPermissions', {}, deadline);
  const given = isRecord(reply) ? Object.keys(reply).length : 0;
  if (poolId !== null && administers(reply, poolId)) {
    return warning(
      `${email}, admin on the pool; why the pool refuses something is hidden from it`,
      'Good enough. The cause of an XO_ERROR_HIDDEN stands in the log of xo-server, or is shown to an administrator.',
    );
  }
  return unknown(
    `${email}, no administrator, and not admin on the pool; ${given} object(s) with explicit rights`,
    'Known to work is admin on the pool (acl.add); whether less suffices only a run, or --write-test, can show.',
  );
}

/** The list holds all tokens of the user in clear: only the end of ours is taken from it. */
export async function token(session: Session, { credential }: XoLabSettings, deadline: Deadline): Promise<Look> {
  if (!('token' in credential)) return ok('signed in by password; a token is made for each run');
  const reply = await session.call('user.getAuthenticationTokens', {}, deadline);
  const all: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const own = all.find((each) => isRecord(each) && each.id === session.token.reveal());
  const expiration = isRecord(own) ? own.expiration : undefined;
  if (typeof expiration !== 'number')
    return unknown('Xen Orchestra does not show when it ends', 'Note it when you make one.');
  const leftMs = expiration - xoNowMs(session);
  const until = `good until ${new Date(expiration).toISOString()}, ${(leftMs / 86_400_000).toFixed(1)} days`;
  return leftMs > TOKEN_WARNING_MS
    ? ok(until)
    : warning(until, 'Make a new one in time: docs/lab-setup.md, section 2.');
}

export async function methods(session: Session, deadline: Deadline): Promise<Look> {
  const reply = await session.call('system.getMethodsInfo', {}, deadline);
  const known = isRecord(reply) ? reply : {};
  const missing = METHODS.filter((name) => !Object.hasOwn(known, name));
  if (missing.length === 0) return ok(`all ${METHODS.length} that runs call`);
  return {
    status: 'broken',
    seen: `this Xen Orchestra does not have ${missing.join(', ')}`,
    remedy: 'Update Xen Orchestra.',
  };
}

export function clock({ endpoint: { clockOffsetMs } }: Session): Look {
  const seconds = Math.round(clockOffsetMs / 1000);
  const seen = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} this machine`;
  if (Math.abs(clockOffsetMs) < CLOCK_WARNING_MS) return ok(seconds === 0 ? 'as here, to the second' : seen);
  return warning(
    seen,
    'Set both by NTP. Claims and locks go by the clock of Xen Orchestra, so runs work all the same.',
  );
}

/** @param poolId as in `rights` */
export async function sessionFindings(
  session: Session,
  settings: XoLabSettings,
  poolId: string | null,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  return [
    await look('xo-connection', () => connection(session, settings)),
    await look('xo-version', () => version(session)),
    await look('xo-methods', () => methods(session, deadline)),
    await look('xo-rights', () => rights(session, poolId, deadline)),
    await look('xo-token', () => token(session, settings, deadline)),
    await look('xo-clock', () => clock(session)),
  ];
}
