import type { RTCSession } from "jssip/lib/RTCSession.js";
import { inOneLine } from "../../shared/words.ts";
import { MicrophoneError, type Microphone } from "../sound/microphone.ts";

/** A call's own copy of the microphone: what its connection sends, silent while the call is muted or held. */
export class CallMicrophone {
  readonly #session: RTCSession;
  #copy: MediaStream | undefined;

  /** @param copy undefined while the call is not answered */
  constructor(session: RTCSession, copy: MediaStream | undefined) {
    this.#session = session;
    this.#copy = copy;
  }

  /** The first copy, for JsSIP to send. */
  begin(copy: MediaStream): void {
    this.#copy = copy;
  }

  /** JsSIP switches the tracks that a connection sends already: of a new one, the microphone is silent beforehand. */
  beginMuted(): void {
    for (const track of this.#copy?.getAudioTracks() ?? []) track.enabled = false;
    this.#session.mute({ audio: true });
  }

  /** Goes over to another microphone. A call that is not answered takes none yet. @param copy makes this call's own copy */
  change(copy: () => MediaStream | undefined): void {
    const before = this.#copy;
    const next = before && copy();
    if (before === undefined || next === undefined) return;
    this.#copy = next;
    void this.#send().then(() => stopTracks(before));
  }

  stop(): void {
    if (this.#copy !== undefined) stopTracks(this.#copy);
  }

  /** Puts the copy in the place of what the connection sends. Idempotent. */
  async #send(): Promise<void> {
    const track = this.#copy?.getAudioTracks()[0];
    const sender = sendersOf(this.#session).find((one) => one.track?.kind === "audio");
    if (track === undefined || !sender?.track || sender.track === track) return;
    track.enabled = this.#isHeard;
    // Refused where the call is over.
    await sender.replaceTrack(track).catch(() => undefined);
    // Muted or held meanwhile: JsSIP switched the former one.
    track.enabled = this.#isHeard;
  }

  /** Whether the far end is to hear it: as JsSIP switches its tracks. */
  get #isHeard(): boolean {
    const held = this.#session.isOnHold();
    return !held.local && !held.remote && this.#session.isMuted().audio !== true;
  }
}

/** None before JsSIP has made the connection, which its types leave out. */
function sendersOf(session: RTCSession): readonly RTCRtpSender[] {
  const connection: RTCPeerConnection | null | undefined = session.connection;
  return connection?.getSenders() ?? [];
}

export function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** The microphone's copy for one call, or why there is none. */
export async function copyOf(
  microphone: Pick<Microphone, "acquire" | "copy">,
): Promise<MediaStream | string> {
  try {
    await microphone.acquire();
    return microphone.copy() ?? "There is no microphone. Plug one in, then try again.";
  } catch (error) {
    return error instanceof MicrophoneError ? inOneLine(error.problem) : String(error);
  }
}
