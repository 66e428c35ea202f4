/** What a run that repeats another one must agree with: the image by its digest, and what is told of the lab. */
import { Fault } from '../faults/faults.ts';
import type { PlannedImage } from '../model.ts';

export interface SameAs {
  /** The image as the other run knew it, where its file is not here: only a lab that has it kept can take it. */
  readonly remembered: PlannedImage | null;
  /** Null: the other run planned none. */
  readonly sha256: string | null;
  /** Told of the lab when it is open. @throws Fault of the caller where that is not the same, and it matters */
  readonly agree: (xoVersion: string) => void;
}

/** @throws Fault BAD_IMAGE where this is another image, or nobody has its bytes */
export function refuseOtherImage(image: PlannedImage, same: SameAs | null, wantsBytes: boolean): void {
  if (same === null) return;
  if (same.sha256 !== null && image.sha256 !== same.sha256) {
    const given = `${image.path} with ${image.sha256}`;
    throw new Fault('BAD_IMAGE', `--image: expected the image of that run, sha256 ${same.sha256}, given ${given}`);
  }
  if (same.remembered === null || !wantsBytes) return;
  const gone = `nothing: it is not at ${image.path} any more, and the lab does not keep it`;
  throw new Fault('BAD_IMAGE', `--image: expected the file of the image with sha256 ${image.sha256}, given ${gone}`);
}
