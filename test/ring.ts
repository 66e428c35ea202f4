/**
 * Runs test files as child processes, several at once, and joins their TAP: `ring.ts JOBS FILE…`. Started by run.ts.
 * tap's own command line would do, but it compiles each file and all that it imports anew: four times the work of tsx.
 */
import t from 'tap';

const [jobs, ...files] = process.argv.slice(2);
t.jobs = Number(jobs);
for (const file of files) {
  // NODE_OPTIONS is what tap adds for its coverage: 0.2 s for each process that a test starts.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--import', 'tsx', file];
  t.spawn('env', command, { timeout: 0, buffered: true, at: null, source: '' }, file);
}
