import type {
  ClientContext,
  Microphone,
  SipClient,
  Sound,
  TestPhone,
  EncodedFrame,
  Account,
} from "./contract.ts";
import { EncodedRecorder } from "./encoded.ts";
import { MadeMicrophone, Recorder } from "./sound.ts";

/** Puts a SIP client and the sound around it on `window.testPhone`. */
export function installPhone(make: (context: ClientContext) => SipClient): void {
  const microphone = new MadeMicrophone();
  const recorder = new Recorder();
  let encoded: EncodedRecorder | undefined;
  const client = make({
    microphone: async () => await Promise.resolve(microphone.stream()),
    watch(connection) {
      encoded?.watch(connection);
      connection.addEventListener("track", ({ track }) => recorder.listen(track));
    },
  });
  const register = client.register.bind(client);
  client.register = async (account: Account): Promise<void> => {
    if (account.encoded === true) encoded ??= new EncodedRecorder();
    await register(account);
  };
  const phone: TestPhone = {
    sip: client,
    setMicrophone: async (wanted: Microphone) => await microphone.set(wanted),
    play: async (sound: Sound) => await microphone.play(sound),
    record: () => recorder.start(),
    recorded: () => recorder.recorded(),
    encodedFrames: (): readonly EncodedFrame[] => encoded?.frames ?? [],
    clearEncodedFrames() {
      if (encoded !== undefined) encoded.frames = [];
    },
    async stats() {
      const report = await client.connection()?.getStats();
      const all: Record<string, unknown>[] = [];
      report?.forEach((one: object) => all.push({ ...one }));
      return all;
    },
  };
  window.testPhone = phone;
}
