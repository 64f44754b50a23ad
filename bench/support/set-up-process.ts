/** Browsers that come and go while the calls of `bench:relay --setups` run: a process of its own. */
import { setPriority } from "node:os";
import { sharedCertificate } from "../../test/support/webrtc-peer.ts";
import { BrowserEnd, type Profile } from "./browser-end.ts";
import type { CallDescription, EndDescription } from "./load-process.ts";
import { serve } from "./rpc.ts";

// Its own arithmetic is ten times the server's: it must not make the load late, with which it may share a core.
setPriority(10);

const ends = new Map<number, BrowserEnd>();

/** Makes an end; nothing is sent to its trunk. */
async function reserve({ id }: { readonly id: number }): Promise<EndDescription> {
  const browser = await BrowserEnd.open(await sharedCertificate());
  ends.set(id, browser);
  const { iceUfrag, icePwd, fingerprint } = browser;
  const browserPort = browser.socket.address().port;
  return { iceUfrag, icePwd, fingerprint, browserPort, trunkPort: 9, rtcpPort: 9 };
}

interface Connecting {
  readonly id: number;
  readonly call: CallDescription;
  readonly profile: Profile;
}

/** ICE and DTLS of one end; ms taken. */
async function connect({ id, call, profile }: Connecting): Promise<number> {
  const end = ends.get(id);
  if (!end) throw new Error("reserve comes first");
  const began = performance.now();
  await end.attach(call.browser);
  await end.connect(profile);
  return performance.now() - began;
}

async function drop({ id }: { readonly id: number }): Promise<void> {
  await ends.get(id)?.close();
  ends.delete(id);
}

const handlers = { reserve, connect, drop };
export type SetUpHandlers = typeof handlers;
serve(handlers);
