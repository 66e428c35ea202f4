/**
 * The process that reads the text of pictures: PNG as a line of base64 on stdin, `{ "text": … }` as a line on stdout,
 * until stdin ends. A process of its own, since its 240 MB and its seconds must end when it is told so.
 */
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createWorker, PSM } from 'tesseract.js';

const data = dirname(fileURLToPath(import.meta.resolve('@tesseract.js-data/eng/package.json')));
// The integer model of the package: a third of the time of the other one, and as good on a console's letters.
const langPath = join(data, '4.0.0_best_int');
const worker = await createWorker('eng', undefined, { langPath, cacheMethod: 'none', gzip: true });
// A screen is one block of text.
await worker.setParameters({ tessedit_pageseg_mode: PSM.SINGLE_BLOCK });
for await (const line of createInterface({ input: process.stdin })) {
  const { data: read } = await worker.recognize(Buffer.from(line, 'base64'));
  process.stdout.write(`${JSON.stringify({ text: read.text })}\n`);
}
await worker.terminate();
