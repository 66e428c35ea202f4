/**
 * By which way disks will come in and be read back: each path of the REST API is asked for something that it refuses
 * once it was found, so that nothing is made or changed.
 */
import { randomUUID } from 'node:crypto';
import type { Deadline } from '../../deadline.ts';
import type { Finding } from '../../finding.ts';
import { broken, type Look, look, ok, warning } from '../../finding.ts';
import { ask, type RestOptions } from '../rest.ts';
import { isUnknownRoute } from '../send-disk.ts';
import type { Session } from '../session.ts';

/** True: the path is there, whatever it said of the request. */
async function known(
  { endpoint, token }: Session,
  method: RestOptions['method'],
  path: string,
  deadline: Deadline,
): Promise<boolean> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': '0' };
  const asked = method === 'GET' ? {} : { headers };
  return !isUnknownRoute(await ask(endpoint, { method, path: `/rest/v0${path}`, token, ...asked, deadline }));
}

/** `?raw` without a value is a 422 before anything is made (recorded). */
async function intoSr(session: Session, srId: string, deadline: Deadline): Promise<Look> {
  if (await known(session, 'POST', `/srs/${srId}/vdis?raw`, deadline))
    return ok('rest-post-vdis (POST /srs/<id>/vdis)');
  return warning('disk-import: this Xen Orchestra has no POST /rest/v0/srs/<id>/vdis', 'Works; an update brings REST.');
}

/** A disk that does not exist: "no such VDI" and not "no such route". */
async function overDisk(session: Session, deadline: Deadline): Promise<Look> {
  if (await known(session, 'PUT', `/vdis/${randomUUID()}.vhd`, deadline))
    return ok('rest-put-vdi (PUT /vdis/<id>.vhd)');
  return broken('this Xen Orchestra cannot overwrite a disk: it has no PUT /rest/v0/vdis/<id>.vhd', 'Update it.');
}

async function back(session: Session, deadline: Deadline): Promise<Look> {
  if (await known(session, 'GET', `/vdis/${randomUUID()}.raw`, deadline)) return ok('GET /vdis/<id>.raw');
  return warning(
    'this Xen Orchestra cannot read a disk back: it has no GET /rest/v0/vdis/<id>.raw',
    'Update it; until then only an image with a GPT and a named closure can be proven.',
  );
}

/** @param srId where new disks go; null: none does, the disk of the fixed VM is overwritten */
export async function pathFindings(
  session: Session,
  srId: string | null,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  return [
    await look('import-path', () => (srId === null ? overDisk(session, deadline) : intoSr(session, srId, deadline))),
    await look('read-back', () => back(session, deadline)),
  ];
}
