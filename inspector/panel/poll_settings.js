/*
 * One job: what would help all polls as one text: the settings as YAML, in one list of each kind, and
 * below them, as comments, what their APIs would have to send.
 */

const LIST = /^(routes|upstreams):\n/;

/* `polls` as polls_watch.js has them. {text, polls}: of how many there is something. */
export function settingsOf(polls) {
  const lists = new Map();
  const fields = [];
  let helped = 0;

  for (const { poll, advice } of polls) {
    helped += advice.length > 0 ? 1 : 0;
    for (const { form, code } of advice) {
      const list = form === 'yaml' && LIST.exec(code);

      if (list) {
        const entries = lists.get(list[1]) ?? new Set();

        lists.set(list[1], entries.add(code.slice(list[0].length)));
      } else {
        fields.push(`#   ${poll.method} ${poll.path}   ${code}`);
      }
    }
  }

  const parts = [...lists].map(([name, entries]) => [`${name}:`, ...entries].join('\n'));

  if (fields.length > 0) {
    parts.push(['# What the API would send in its answers:', ...fields].join('\n'));
  }
  return { text: parts.join('\n'), polls: helped };
}
