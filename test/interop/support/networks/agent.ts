/** An agent's browser in a network of its own: signs in, calls the echo, speaks, tells as one line what came. */
import { parseArgs } from "node:util";
import { BrowserDouble } from "../../../support/browser-double.ts";
import { framesOf } from "../../../support/browser-media.ts";
import { toCodes, voice } from "../../../support/sound.ts";
import { paced } from "../rtp-phone.ts";

const { values } = parseArgs({ options: { url: { type: "string" }, dn: { type: "string" } } });
const { url = "", dn = "" } = values;

const browser = await BrowserDouble.signIn({
  url,
  dn,
  codec: "pcmu",
  allowEvents: "x-jackfield-trunk",
  peer: { host: "0.0.0.0" },
});
await browser.trunkState("in-service");
const call = await browser.dial("9196");
const sdp = await call.when("answered");
await call.connected;
const frames = framesOf(toCodes(voice(3), "pcmu")).slice(0, 100);
await paced(frames.length, (index) => call.media.sendFrame(frames[index] ?? Buffer.alloc(0)));
const sent = new Set(frames.map((frame) => frame.toString("hex")));
const echoed = call.media.received.filter(({ payload }) => sent.has(payload.toString("hex"))).length;
const candidates = Array.from(sdp.matchAll(/^a=candidate:(.*)$/gm), ([, line = ""]) => line.trim());
const byAddress = call.media.peer.remoteAddress;
call.hangUp();
console.log(JSON.stringify({ dn, candidates, byAddress, frames: frames.length, echoed }));
await browser.close();
process.exit(0);
