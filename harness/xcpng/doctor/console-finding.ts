/** Whether consoles can be seen from here. Only of VMs that are ours or allotted to us: others' screens are private. */
import type { Deadline } from '../../deadline.ts';
import type { Finding } from '../../finding.ts';
import { broken, type Look, look, ok, unknown } from '../../finding.ts';
import { OURS } from '../claims.ts';
import { ConsoleSocket } from '../console-socket.ts';
import type { Session } from '../session.ts';
import type { XoLabSettings } from '../settings.ts';

/** RFC 6143, 7.1.1: `RFB xxx.yyy\n`. */
const VERSION_BYTES = 12;
const CONSOLE_MS = 10_000;

async function greeting(session: Session, vmUuid: string, deadline: Deadline): Promise<Look> {
  const socket = await ConsoleSocket.open(session, vmUuid, deadline);
  try {
    const version = (await socket.read(VERSION_BYTES, deadline)).toString('latin1');
    if (/^RFB \d{3}\.\d{3}\n$/.test(version)) return ok(`VM ${vmUuid} greets with ${version.trim()}`);
    const seen = `VM ${vmUuid}: expected the greeting of RFB, given ${JSON.stringify(version)}`;
    return broken(seen, 'Only graphical consoles of HVM guests can be seen.');
  } finally {
    socket.close();
  }
}

export function consoleFinding(session: Session, { fixed }: XoLabSettings, deadline: Deadline): Promise<Finding> {
  const own = session.objects
    .all('VM')
    .filter(({ uuid, tags }) => (fixed === null ? tags.includes(OURS) : uuid === fixed.vm))
    .find(({ powerState }) => powerState === 'Running');
  return look('console', () => {
    if (own !== undefined) return greeting(session, own.uuid, deadline.within(CONSOLE_MS));
    const whose = fixed === null ? 'no guest of ours runs now' : 'the fixed VM does not run';
    return unknown(
      `${whose}, and a halted VM has no console`,
      'A run shows it; or call this again while one is under way.',
    );
  });
}
