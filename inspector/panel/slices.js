/*
 * One job: long work in short slices, so that the page stays quick. The work is a generator that yields
 * wherever it may be interrupted.
 */

const SLICE_MS = 8;

const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

/* The generator's result; rejects with the signal's reason where it is aborted first. */
export async function inSlices(work, signal) {
  let until = performance.now() + SLICE_MS;

  for (;;) {
    const { done, value } = work.next();

    if (done) {
      return value;
    }
    if (performance.now() >= until) {
      await pause();
      signal.throwIfAborted();
      until = performance.now() + SLICE_MS;
    }
  }
}
