/** What stands where something was cut out. */
const cutMark = "[cut]";

/** Header fields of which only what `shownCredentials` names is left (RFC 3261 20.7, 20.27, 20.28, 20.44, 20.6). */
const credentialHeader = /^(proxy-)?(authorization|authenticate|authentication-info)$|^www-authenticate$/i;
const shownCredentials = new Set(["realm", "username", "uri", "algorithm", "qop", "stale", "nc"]);
/** Header fields whose value is a secret as a whole. */
const secretHeader = /^x-jackfield-resume|token|secret|passw|cookie|api-?key/i;
/** What may be the user part of a URI, whole: each is looked at once, so that no text makes it slow. */
const userPart = /(?<![^\s@<>"])[^\s@<>"]+@/g;
/** The password of a SIP URI's user (RFC 3261 19.1.1), in such a part. */
const uriPassword = /^(.*?sips?:[^:]+):.+@$/i;
/** Secrets as header fields within a URI, e.g. of Refer-To. */
const uriHeader = /([?&][\w-]{0,40}(?:authorization|resume|token|secret)[\w-]{0,40}=)[^&>\s"]*/gi;
/** SDP lines with keys: ICE passwords (RFC 8839 5.4), SDES (RFC 4568), MIKEY (RFC 4567), k= (RFC 4566). */
const sdpSecret = /^(a=ice-pwd:|a=crypto:\S*[ \t]\S*|a=key-mgmt:|k=).*$/gim;
const digitsType = /^application\/(dtmf|vnd\.nortelnetworks\.digits)/i;

/**
 * A message for people to read: what lets somebody sign in, take a call over or listen is cut out, and so are keys
 * pressed (unless `showDigits`) and every body of a kind not known to be harmless.
 *
 * @param wire the message, one character per byte
 */
export function cutMessage(wire: string, showDigits: boolean): string {
  const blank = /\r?\n\r?\n/.exec(wire);
  const head = blank ? wire.slice(0, blank.index) : wire;
  const body = blank ? wire.slice(blank.index + blank[0].length) : "";
  const lines = head.split(/\r?\n(?![ \t])/);
  const shown = lines.map((line, index) => (index === 0 ? withoutPasswords(line) : cutHeader(line)));
  return utf8(`${shown.join("\r\n")}\r\n\r\n${cutBody(body, lines, showDigits)}`);
}

/** One header line, folded ones whole. */
function cutHeader(line: string): string {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon)).trim();
  if (secretHeader.test(name)) return `${name}: ${cutMark}`;
  if (credentialHeader.test(name)) return `${name}: ${cutCredentials(line.slice(colon + 1).trim())}`;
  return withoutPasswords(line);
}

function withoutPasswords(text: string): string {
  return text
    .replaceAll(userPart, (part) => part.replace(uriPassword, `$1:${cutMark}@`))
    .replaceAll(uriHeader, `$1${cutMark}`);
}

/** `Digest realm="x", nonce=[cut]`; of any other scheme the scheme alone is left. */
function cutCredentials(value: string): string {
  const unfolded = withoutPasswords(value.replaceAll(/\s+/g, " "));
  const scheme = /^digest (?=.)/i.exec(unfolded)?.[0] ?? "";
  if (scheme === "" && !/^\w+=/.test(unfolded)) return `${unfolded.split(" ", 1)[0] ?? ""} ${cutMark}`;
  const fields = unfolded
    .slice(scheme.length)
    .matchAll(/(?<![\w-])([\w-]+)\s*=\s*(?:"(?:[^"\\]|\\.)*"?|[^\s,]*)/g);
  const shown = Array.from(fields, ([whole, name = ""]) =>
    shownCredentials.has(name.toLowerCase()) ? whole : `${name}=${cutMark}`,
  );
  return scheme + shown.join(", ");
}

function cutBody(body: string, lines: readonly string[], showDigits: boolean): string {
  if (body === "") return "";
  const type =
    headerOf(lines, /^(content-type|c)\s*:/i)
      .split(";", 1)[0]
      ?.trim()
      .toLowerCase() ?? "";
  const digits = digitsType.test(type) || /^dtmf/i.test(headerOf(lines, /^(event|o)\s*:/i));
  if (digits) return showDigits ? body : body.replaceAll(/^([^=\r\n]*=)?[^\r\n]+$/gm, "$1•");
  if (type === "application/sdp" && !lines[0]?.startsWith("MESSAGE"))
    return body.replaceAll(sdpSecret, `$1${cutMark}`);
  // Progress of a transfer: a start line, perhaps headers.
  if (type === "message/sipfrag")
    return body
      .split(/\r?\n(?![ \t])/)
      .map(cutHeader)
      .join("\r\n");
  return `[${body.length} bytes of ${type === "" ? "no known type" : type} cut]`;
}

function headerOf(lines: readonly string[], name: RegExp): string {
  const line = lines.find((one) => name.test(one));
  return line === undefined ? "" : line.slice(line.indexOf(":") + 1).trim();
}

function utf8(wire: string): string {
  return Buffer.from(wire, "latin1").toString("utf8");
}
