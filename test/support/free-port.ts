import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const host = "127.0.0.1";
/**
 * Below the ports that the kernel gives to connections: one of those would have been taken by the time a program binds it.
 * Above and below are ports that browsers refuse (6697, 10080).
 */
const [first, count] = [6720, 800] as const;
// Processes that look at the same time begin apart.
let next = Math.floor(Math.random() * count);

/** Whether a socket of either kind can be bound; bound it is no more. */
async function isFree(port: number): Promise<boolean> {
  const udp = createSocket("udp4");
  const tcp = createServer();
  try {
    udp.bind(port, host);
    await once(udp, "listening");
    tcp.listen(port, host);
    await once(tcp, "listening");
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => udp.close(resolve));
    await new Promise<unknown>((resolve) => tcp.close(resolve));
  }
}

/** The next one that is free, of UDP and of TCP; told to nobody else by this process. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < count; tries++) {
    // baresip takes the next one too, for TLS, and SIPp the one behind it, for pictures.
    const port = first + 4 * (next++ % count);
    if (await isFree(port)) return port;
  }
  throw new Error("no port is free");
}

/**
 * A TCP port on loopback that was free a moment ago: for programs, and for what must be known before it is bound, such as
 * a page's origin. Else bind port 0.
 */
export const freeTcpPort = freePort;

/** The same of UDP. */
export const freeUdpPort = freePort;
