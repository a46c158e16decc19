/*
 * One job: what time it is at the server. The Date field counts whole seconds, so only a difference
 * that is more than rounding and transit is believed.
 */

const BELIEVED_MS = 2000;

let offset = 0;

/* `date` is the server's clock in milliseconds, or NaN. */
export function learnServerTime(date) {
  const difference = date - Date.now();

  if (Number.isFinite(difference)) {
    offset = Math.abs(difference) > BELIEVED_MS ? difference : 0;
  }
}

/* Seconds since the epoch, as the records count them. */
export function serverNow() {
  return (Date.now() + offset) / 1000;
}
