// @ts-check
/** Brings the first page to life. Without it all but plots and search is there. */

(() => {
  const STALE_MS = 36 * 3_600_000;

  /** A nightly that has stopped looks like one that is fine, unless somebody says so. */
  function tellAge() {
    const note = shared.byId('stale');
    const newest = Number(note.dataset.newest);
    const ageMs = Date.now() - newest;
    if (ageMs < STALE_MS) return;
    note.textContent = `The newest run is ${Math.round(ageMs / 86_400_000)} days old (${shared.when(newest)} UTC).`;
    note.hidden = false;
  }

  /** @type {Data} */
  const data = JSON.parse(shared.byId('data').textContent ?? '');
  if (data.runs.length === 0) return;
  document.documentElement.classList.add('scripted');
  tellAge();
  runsTable(data);
  trends(data);
})();
