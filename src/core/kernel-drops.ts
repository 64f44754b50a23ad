import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { isIPv4 } from "node:net";

/** Where `drops` stands in a line of /proc/net/udp, counted from the local address (0). */
const dropsColumn = 11;

/**
 * Datagrams the kernel dropped on the IPv4 socket bound to `host:port` since it was bound, from the text of
 * /proc/net/udp; undefined when the socket is not in it.
 */
export function parseKernelDrops(table: string, host: string, port: number): number | undefined {
  // Behind the slot's colon stands the local address; the remote one of another socket may be the same.
  const start = table.indexOf(`: ${hexAddress(host)}:${port.toString(16).toUpperCase().padStart(4, "0")} `);
  if (start < 0) return undefined;
  const end = table.indexOf("\n", start);
  const columns = table
    .slice(start + 1, end < 0 ? undefined : end)
    .trim()
    .split(/\s+/);
  const drops = Number(columns[dropsColumn]);
  return Number.isInteger(drops) ? drops : undefined;
}

/** The four bytes as the kernel prints them: as one number of the machine's own byte order. */
function hexAddress(host: string): string {
  const bytes = host.split(".").map((part) => Number(part).toString(16).toUpperCase().padStart(2, "0"));
  return (endianness() === "LE" ? bytes.toReversed() : bytes).join("");
}

/** Reads the table in node's thread pool, off the packets' way. Undefined where there is no such file. */
export async function readKernelDrops(host: string, port: number): Promise<number | undefined> {
  if (!isIPv4(host)) return undefined;
  try {
    return parseKernelDrops(await readFile("/proc/net/udp", "latin1"), host, port);
  } catch {
    return undefined;
  }
}
