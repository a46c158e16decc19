/*
 * One job: the sample's bearer token: a JWT that nobody signed (RFC 7519 section 6) and nobody
 * checks. It is there for the inspector to name the caller by, and to redact.
 */

function base64url(value) {
  return btoa(JSON.stringify(value)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

const header = { alg: 'none', typ: 'JWT' };
const claims = { sub: 'ines', name: 'Ines Duarte', email: 'ines@example.com', aud: 'sample-dashboard' };

export const authorization = `Bearer ${base64url(header)}.${base64url(claims)}.`;
