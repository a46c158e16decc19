/*
 * One job: name the members of a JSON body whose values were redacted, so that who sends it again knows
 * which to fill in.
 */

import { countRedacted } from './redaction.js';

const MOST = 3;
const MOST_NODES = 20000; /* looked at: what comes after is not named */

function nameOf(node, parent, index, above) {
  if (parent === null) {
    return '';
  }
  if (parent.kind === 'array') {
    return `${above}[${index}]`;
  }

  const key = node.key.replace(/^"|"$/g, '');

  return above === '' ? key : `${above}.${key}`;
}

/* Up to three names, as notify.token or env[0].value. `root` as json_reader.js gives it. */
export function redactedPaths(root) {
  const names = [];
  const open = [[root, '']];

  for (let seen = 0; open.length > 0 && names.length < MOST && seen < MOST_NODES; seen += 1) {
    const [node, name] = open.pop();

    if (node.kids) {
      node.kids
        .map((kid, i) => [kid, nameOf(kid, node, i, name)])
        .reverse()
        .forEach((each) => open.push(each));
    } else if (name !== '' && countRedacted(node.raw) > 0) {
      names.push(name);
    }
  }
  return names;
}
