/**
 * `npm run bench:first-sound`: from the answer to the first sound of the other side, both ways. The browser's media is set
 * up only now (ICE check, DTLS), as in a call whose answer brings the browser's description; both ends talk all the time,
 * a packet every 20 ms, at a phase that differs from call to call. The browser's end is in this process, so its own DTLS,
 * slower than Chromium's, is in the figure.
 */
import { createSocket } from "node:dgram";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { silentLogger, systemClock, systemRandom } from "../src/core/index.ts";
import { createMediaPool, type MediaPool, type Payload } from "../src/media/index.ts";
import { sharedCertificate, WebRtcPeer } from "../test/support/webrtc-peer.ts";
import { describeMachine } from "./support/machine.ts";

const host = "127.0.0.1";
const frameMs = 20;
const payload: Payload = { codec: "pcmu", payloadType: 0 };
const patienceMs = 5000;

interface FirstSound {
  /** From the answer, ms. */
  readonly connected: number;
  readonly atSipServer: number;
  readonly atBrowser: number;
}

const { values } = parseArgs({
  options: { calls: { type: "string", default: "50" }, json: { type: "string" } },
});
const calls = Number(values.calls);
if (!Number.isInteger(calls) || calls < 1)
  throw new Error(`--calls ${values.calls}: not a whole number above 0`);

function packet(sequence: number, ssrc: number): Buffer {
  const bytes = Buffer.alloc(172, 0x35);
  bytes[0] = 0x80;
  bytes[1] = 0;
  bytes.writeUInt16BE(sequence, 2);
  bytes.writeUInt32BE(sequence * 160, 4);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
}

const silence = 0xff;
const isSound = (payloadByte: number | undefined): boolean => payloadByte !== silence;

async function oneCall(pool: MediaPool, phaseMs: number): Promise<FirstSound> {
  const session = await pool.open();
  const trunk = createSocket("udp4");
  await new Promise<void>((resolve) => trunk.bind(0, host, resolve));
  const peer = await WebRtcPeer.create({ certificate: await sharedCertificate() });
  let sequence = 0;
  const talk = setInterval(() => {
    sequence++;
    trunk.send(packet(sequence, 1), session.trunk.port, host);
    if (peer.connected) peer.sendRtp(packet(sequence, 2));
  }, frameMs);
  try {
    await new Promise((resolve) => setTimeout(resolve, phaseMs));
    const answered = performance.now();
    const heard = new Promise<FirstSound>((resolve, reject) => {
      const times = { connected: 0, atSipServer: 0, atBrowser: 0 };
      const note = (what: keyof typeof times): void => {
        if (times[what] === 0) times[what] = performance.now() - answered;
        if (times.connected && times.atSipServer && times.atBrowser) resolve(times);
      };
      session.events.on("connected", () => note("connected"));
      trunk.on("message", (bytes) => {
        if (isSound(bytes[20])) note("atSipServer");
      });
      peer.onRtp = (bytes) => {
        if (isSound(bytes[20])) note("atBrowser");
      };
      setTimeout(() => reject(new Error("no sound")), patienceMs).unref();
    });
    const { iceUfrag, fingerprint } = peer;
    const { port } = trunk.address();
    session.setTrunkRemote({ address: host, port, payload, direction: "sendrecv" });
    session.setBrowserRemote({ iceUfrag, fingerprints: [fingerprint], payload, direction: "sendrecv" });
    session.connect();
    await peer.connect(session.browser);
    return await heard;
  } finally {
    clearInterval(talk);
    session.close("bench over");
    await peer.close();
    trunk.close();
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const options = {
  host,
  advertisedAddress: host,
  browserPort: 0,
  rtpPorts: [21_000, 21_999],
  workers: 1,
} as const;
const pool = await createMediaPool(options, { log: silentLogger, clock: systemClock, random: systemRandom });
const results: FirstSound[] = [];
for (let call = 0; call < calls; call++) results.push(await oneCall(pool, 40 + ((call * 7) % frameMs)));
await pool.close();

const rows = (["connected", "atSipServer", "atBrowser"] as const).map((what) => {
  const sorted = results.map((one) => one[what]).sort((one, other) => one - other);
  return { what, median: percentile(sorted, 0.5), p90: percentile(sorted, 0.9), most: sorted.at(-1) ?? 0 };
});
console.log("from the answer, ms   median     p90    most");
for (const { what, median, p90, most } of rows)
  console.log(`${what.padEnd(20)} ${[median, p90, most].map((ms) => ms.toFixed(1).padStart(7)).join(" ")}`);
const machine = describeMachine(false);
console.log(`\n${calls} calls one after the other. ${JSON.stringify(machine)}`);
if (values.json) await writeFile(values.json, `${JSON.stringify({ machine, rows, results }, null, 2)}\n`);
