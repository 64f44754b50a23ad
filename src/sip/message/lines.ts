import { isAscii, isUtf8 } from "node:buffer";
import { HeaderFields } from "./headers.ts";
import { messageLimits } from "./limits.ts";
import { headerName } from "./names.ts";
import { isBlank, isClean, isToken, trimBlanks } from "./text.ts";

/** Why a message is refused: SIP status and reason phrase. */
export interface Fault {
  readonly status: number;
  readonly reason: string;
}

/** A header section taken into lines; with a fault, what could be read nevertheless. */
export interface Section {
  readonly startLine: string;
  readonly headers: HeaderFields;
  readonly fault: Fault | undefined;
}

/**
 * Splits a header section (without its closing empty line) into start line and header fields: folds undone,
 * values trimmed, names checked. The first fault is kept and reading goes on, so that an error response can be
 * made from what there is.
 */
export function readSection(bytes: Buffer, start: number, end: number): Section {
  const headers = new HeaderFields();
  const text = decode(bytes.subarray(start, end), headers);
  let fault: Fault | undefined;
  const refuse = (status: number, reason: string): void => {
    fault ??= { status, reason };
  };
  const firstEnd = lineEnd(text, 0);
  const startLine = text.slice(0, firstEnd);
  if (!isClean(startLine)) refuse(400, "Control Character In Start Line");
  let count = 0;
  let position = firstEnd + 2;
  while (position < text.length) {
    let value = "";
    const first = position;
    let lines = 0;
    do {
      const stop = lineEnd(text, position);
      const line = text.slice(position, stop);
      value = lines === 0 ? line : `${value} ${trimBlanks(line)}`;
      lines++;
      position = stop + 2;
    } while (position < text.length && isBlank(text.charCodeAt(position)));
    count += lines;
    if (count > messageLimits.headerLines) {
      refuse(513, "Too Many Header Lines");
      break;
    }
    // a folded line that follows the start line has no header to belong to
    if (isBlank(text.charCodeAt(first))) refuse(400, "Bad Header Line");
    else addLine(headers, value, refuse);
  }
  return { startLine, headers, fault };
}

function addLine(
  headers: HeaderFields,
  line: string,
  refuse: (status: number, reason: string) => void,
): void {
  const colon = line.indexOf(":");
  const name = trimBlanks(line.slice(0, Math.max(colon, 0)));
  const header = headerName(name);
  // names out of the table are tokens for certain
  if (header.spelling === name && !isToken(name)) return refuse(400, "Bad Header Line");
  const value = trimBlanks(line.slice(colon + 1));
  if (!isClean(value)) return refuse(400, "Bad Header Value");
  if (value.length > messageLimits.valueLength) return refuse(513, "Header Value Too Long");
  headers.append(header, value);
}

/** Some trunks send display names in the machine's own code page: then every byte is kept as one character. */
function decode(section: Buffer, headers: HeaderFields): string {
  if (isAscii(section)) return section.toString("latin1");
  if (isUtf8(section)) return section.toString("utf8");
  headers.encoding = "latin1";
  return section.toString("latin1");
}

function lineEnd(text: string, position: number): number {
  const end = text.indexOf("\r\n", position);
  return end < 0 ? text.length : end;
}
