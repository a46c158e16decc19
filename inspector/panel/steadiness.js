/*
 * One job: find the pace in a row of points in time: how often something comes back, and how many come
 * together. No DOM, no requests.
 */

export const MOST_TOGETHER = 8;
const STEADY = 0.5; /* how far apart long and short steps may be, in medians */
const AS_GOOD = 0.1; /* a larger group has to be steadier by more than this */
const STEPS = 3; /* at least so many periods */

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/* {median, spread} of steps: the tenth and the last tenth are left out, as a pause or a retry is. */
function steadinessOf(steps) {
  const sorted = steps.sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  const spread = median > 0 ? (quantile(sorted, 0.9) - quantile(sorted, 0.1)) / median : Infinity;

  return { median, spread };
}

/*
 * `starts` are rising seconds. {every, together}: the seconds of a period and how many come within one;
 * null where there is no steady pace. Three callers that each come every five seconds are no pace from
 * one call to the next, but one from each to the third after it.
 */
export function paceOf(starts) {
  const most = Math.min(MOST_TOGETHER, Math.floor((starts.length - 1) / STEPS));
  let best = null;

  for (let together = 1; together <= most; together += 1) {
    const steps = starts.slice(together).map((at, i) => at - starts[i]);
    const { median, spread } = steadinessOf(steps);

    if (spread <= STEADY && (best === null || spread < best.spread - AS_GOOD)) {
      best = { every: median, together, spread };
    }
  }
  return best;
}
