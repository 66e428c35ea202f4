/** Opens a planned image again, for whoever needs its bytes; decompresses it only then. */
import type { PlannedImage } from '../model.ts';
import { openContents } from './contents.ts';
import type { Disk } from './disk.ts';
import { openImageFile, sameState } from './image-file.ts';
import type { Scratch } from './scratch.ts';

/** The disk of a planned image. */
export interface ImageDisk extends Disk {
  /**
   * What is sent must be what was planned: read-back would blame the lab for the difference.
   * @throws Fault BAD_IMAGE where the file has changed since it was planned
   */
  refuseChanged(): Promise<void>;
}

/**
 * @param scratch holds it decompressed, once for all who open it
 * @param signal ends decompressing early, with its reason
 * @throws Fault BAD_IMAGE where the file is not as it was planned, and as `Scratch.unpacked`
 */
export async function openDisk(image: PlannedImage, scratch: Scratch, signal?: AbortSignal): Promise<ImageDisk> {
  const file = await openImageFile(image.path);
  const refuseChanged = async (): Promise<void> => {
    if (!(await sameState(file, image.fileState))) throw file.bad('it changed since it was planned');
  };
  try {
    await refuseChanged();
    const { disk } = await openContents(file, scratch, signal);
    return { ...disk, refuseChanged, close: () => file.file.close() };
  } catch (error) {
    await file.file.close();
    throw error;
  }
}

/**
 * Decompresses the image now, where it is compressed, so that later readers need not wait.
 * @throws Fault as `openDisk`
 */
export async function unpackFirst(image: PlannedImage, scratch: Scratch, signal: AbortSignal): Promise<void> {
  if (image.format.includes('+')) await (await openDisk(image, scratch, signal)).close();
}

/**
 * Opens the disk in a file that was not planned.
 * @throws Fault BAD_IMAGE as `planImage`, and as `Scratch.unpacked`
 */
export async function openUnplanned(path: string, scratch: Scratch): Promise<Disk> {
  const { file, ...about } = await openImageFile(path);
  try {
    const { disk } = await openContents({ file, ...about }, scratch);
    return { ...disk, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}
