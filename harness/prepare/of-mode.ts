/** Refuses an image that was built for another boot mode than the scenario's, before anything is made. */
import { Fault } from '../faults/faults.ts';
import type { PlannedImage, Scenario } from '../model.ts';

/**
 * The image, where its sidecar names the scenario's mode or none. That it would then fail to boot in
 * that mode is no fault of the image: the caller took the wrong one.
 * @throws Fault BAD_IMAGE
 */
export function ofMode({ name, bootMode }: Scenario, image: PlannedImage): PlannedImage {
  const declared = image.sidecar?.bootMode ?? bootMode;
  if (declared === bootMode) return image;
  throw new Fault(
    'BAD_IMAGE',
    `image ${image.path}: ${name} expected one that boots as ${bootMode}, given one whose sidecar says ${declared}`,
  );
}
