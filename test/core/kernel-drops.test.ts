import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { endianness } from "node:os";
import { describe, expect, it } from "vitest";
import { parseKernelDrops, readKernelDrops } from "../../src/core/index.ts";

// 127.0.0.1:20100 (4E84) dropped 17; a socket on every address and one that is connected to our port stand beside it.
const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1203: 0100007F:9C40 0100007F:4E84 01 00000000:00000000 00:00000000 00000000  1000        0 81234 2 0000000000000000 5
 1204: 0100007F:4E84 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 81235 2 0000000000000000 17
 1205: 00000000:4E84 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 81236 2 0000000000000000 9
`;

describe.runIf(endianness() === "LE")("drops in /proc/net/udp", () => {
  it("are those of the socket bound to this address and port", () => {
    expect(parseKernelDrops(table, "127.0.0.1", 20_100)).toBe(17);
    expect(parseKernelDrops(table, "0.0.0.0", 20_100)).toBe(9);
    expect(parseKernelDrops(table, "127.0.0.1", 40_000)).toBe(5);
  });

  it("are unknown where the socket is not in the table, or the table is no such table", () => {
    expect(parseKernelDrops(table, "127.0.0.1", 20_101)).toBeUndefined();
    expect(parseKernelDrops(table, "127.0.0.2", 20_100)).toBeUndefined();
    expect(parseKernelDrops(" 1: 0100007F:4E84 07", "127.0.0.1", 20_100)).toBeUndefined();
    expect(parseKernelDrops("", "127.0.0.1", 20_100)).toBeUndefined();
  });

  it("are unknown on an IPv6 host", async () => {
    expect(await readKernelDrops("::1", 20_100)).toBeUndefined();
  });
});

describe.runIf(existsSync("/proc/net/udp"))("drops of a real socket", () => {
  it("are counted by the kernel when nobody reads it", async () => {
    const [full, sender] = [createSocket({ type: "udp4", recvBufferSize: 4096 }), createSocket("udp4")];
    await new Promise<void>((resolve) => full.bind(0, "127.0.0.1", resolve));
    const { port } = full.address();
    try {
      const before = await readKernelDrops("127.0.0.1", port);
      if (before === undefined) return; // a sandbox that lists no sockets
      expect(before).toBe(0);
      await new Promise<void>((resolve) => sender.bind(0, "127.0.0.1", resolve));
      // In one turn of the event loop: nothing is read between.
      for (let count = 0; count < 200; count++) sender.send(Buffer.alloc(1000), port, "127.0.0.1");
      await expect.poll(() => readKernelDrops("127.0.0.1", port)).toBeGreaterThan(0);
    } finally {
      full.close();
      sender.close();
    }
  });
});
