/** Makes one archive of a stored run: the files that a run writes, without secrets, the same bytes each time. */
import { archive } from '../stored/archive.ts';
import { PACK_LIST, type PackedFile, packListJson, sha256 } from '../stored/pack-list.ts';
import type { StoredRun } from '../stored/stored-run.ts';
import { masked } from './masking.ts';

/** What a run writes into its workdir. */
const OF_A_RUN = [
  /^(?:metadata\.txt|result\.json|repro\.json)$/,
  /^(?:evidence|log|journal)\.ndjson$/,
  /^console\/[^/]+\.(?:txt|png|json)$/,
  /^evidence\/[^/]+\.txt$/,
];

export interface Packed {
  readonly bytes: Buffer;
  readonly files: readonly PackedFile[];
  readonly leftOut: readonly string[];
  /** Names of those whose pixels nobody looked into. */
  readonly pictures: readonly string[];
}

/**
 * Secrets that are known by value are to be known before.
 * @param top folder of the archive
 */
export async function pack(run: StoredRun, top: string): Promise<Packed> {
  const names = run.files.names().filter((name) => name !== PACK_LIST);
  const packed = new Map<string, Buffer>();
  const files: PackedFile[] = [];
  for (const name of names.filter(isOfRun)) {
    const { bytes, count } = masked(name, run.files.bytes(name) ?? Buffer.alloc(0));
    packed.set(name, bytes);
    files.push({ name, sha256: sha256(bytes), masked: count });
  }
  const leftOut = names.filter((name) => !isOfRun(name));
  const { runId, harnessVersion } = run.report;
  packed.set(PACK_LIST, Buffer.from(packListJson({ runId, harnessVersion, files, leftOut })));
  const pictures = files.map(({ name }) => name).filter((name) => /\.png$/.test(name));
  return { bytes: await archive(top, packed), files, leftOut, pictures };
}

const isOfRun = (name: string): boolean => OF_A_RUN.some((pattern) => pattern.test(name));
