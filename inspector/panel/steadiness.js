/*
 * One job: find the pace in a row of points in time: how often something comes back, and how many come
 * together. No DOM, no requests.
 */

export const MOST_TOGETHER = 8;
const ALIKE = 0.25; /* of the usual spacing: so far a step may be from its usual length */
const STEADY = 0.3;
const BETTER = 0.25; /* by which a larger group has to be steadier */
const STEPS = 3; /* at least so many periods */

/*
 * {median, steadiness}: the usual step from each call to the `together`th after it, and how far such steps
 * prevail: among the steps, times in the time that they fill. So a few calls out of turn change little,
 * bursts have no pace of their own, and chance comes to nearly nothing. What is alike is measured by the
 * spacing of single calls: a longer step is not steadier for being longer.
 */
function steadinessOf(steps, together) {
  const sorted = [...steps].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const alike = sorted.filter((step) => Math.abs(step - median) <= (ALIKE * median) / together);
  const time = (each) => each.reduce((sum, step) => sum + step, 0);
  const all = time(sorted);

  return {
    median,
    steadiness: all > 0 ? (alike.length / sorted.length) * (time(alike) / all) : 0,
  };
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
    const { median, steadiness } = steadinessOf(steps, together);

    if (steadiness >= STEADY && (best === null || steadiness > best.steadiness + BETTER)) {
      best = { every: median, together, steadiness };
    }
  }
  return best;
}
