/** The plotting library stands in the page before our script, as a global. */
import type Plot from 'uplot';

declare global {
  const uPlot: typeof Plot;
}
