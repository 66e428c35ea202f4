/** The serial text of a VM, where the lab serves one. Absence is normal: XO itself shows no text. */
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { ConsoleText } from '../lab.ts';
import { ask, errorText } from './rest.ts';
import type { Session } from './session.ts';

const NOT_FOUND = 404;

/**
 * @param serialPath path of the lab file with `{id}` for the VM's uuid; null: this lab has none
 * @returns undefined where the lab has no serial text, or none of this VM
 * @throws Fault XO_UNREACHABLE, XO_CALL_FAILED
 */
export async function serialText(
  session: Session,
  serialPath: string | null,
  vmUuid: string,
  deadline: Deadline,
): Promise<ConsoleText | undefined> {
  if (serialPath === null) return undefined;
  const path = serialPath.replaceAll('{id}', vmUuid);
  const { token, endpoint } = session;
  const { status, text } = await ask(endpoint, { method: 'GET', path, token, deadline });
  if (status === NOT_FOUND) return undefined;
  if (status >= 400) throw new Fault('XO_CALL_FAILED', `GET ${path}: ${status} ${errorText(text)}`);
  return { source: 'serial', text };
}
