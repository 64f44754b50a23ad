import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isPresent } from "../../setup/debian.ts";
import type { SipFront } from "./front.ts";
import { until } from "./rtp-phone.ts";
import { fromWav, toWav } from "../../support/wav.ts";
import { freeUdpPort } from "../../support/free-port.ts";

const host = "127.0.0.1";

/** Forty ranges for RTP of 40 ports each, above those of `free-port.ts` and below the test gateways'. */
const rtpPorts = { first: 10_300, each: 40, ranges: 40 } as const;
// Test files that run side by side begin apart.
let nextRange = Math.floor(Math.random() * rtpPorts.ranges);

export interface BaresipOptions {
  readonly front: SipFront;
  readonly number: string;
  /** What its microphone hears, at the codec's rate; the call ends with it. */
  readonly sound: Int16Array;
  /** Calls this URI at once; else it answers what comes. */
  readonly dial?: string;
  /** Default PCMU. */
  readonly codec?: "PCMU" | "G722";
  /** Default 20 ms. */
  readonly packetMs?: number;
}

/** baresip as the far phone: its microphone a file, its loudspeaker recorded. */
export class Baresip {
  readonly port: number;
  output = "";
  readonly #folder: string;
  readonly #process: ChildProcess;
  /** Samples a second of its sound. */
  readonly #rate: number;
  #exited = false;

  private constructor(options: BaresipOptions, port: number) {
    const { front, number, sound, dial, codec = "PCMU", packetMs = 20 } = options;
    this.port = port;
    this.#rate = codec === "PCMU" ? 8000 : 16_000;
    this.#folder = mkdtempSync(join(tmpdir(), "jackfield-baresip-"));
    const put = (name: string, content: string | Buffer): void =>
      writeFileSync(join(this.#folder, name), content);
    put("sound.wav", toWav(sound, this.#rate));
    put("config", this.#config());
    put(
      "accounts",
      `<sip:${number}@${front.address}>;regint=0;answermode=auto;audio_codecs=${codec}/${this.#rate}/1;` +
        `ptime=${packetMs};outbound="sip:${front.address};transport=udp"\n`,
    );
    put("contacts", "");
    front.admit(port);
    front.phones.set(number, port);
    const command = dial === undefined ? [] : ["-e", `/dial ${dial}`];
    this.#process = spawn("baresip", ["-f", this.#folder, "-t", "60", ...command], {
      cwd: this.#folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const take = (text: Buffer): void => void (this.output += text.toString("utf8"));
    this.#process.stdout?.on("data", take);
    this.#process.stderr?.on("data", take);
    this.#process.once("error", () => (this.#exited = true));
    this.#process.once("close", () => (this.#exited = true));
  }

  static async start(options: BaresipOptions): Promise<Baresip> {
    if (!isPresent("baresip"))
      throw new Error("baresip is missing: apt-get install -y --no-install-recommends baresip-core");
    for (let attempt = 1; ; attempt++) {
      const baresip = new Baresip(options, await freeUdpPort());
      await until("baresip ready", () => /baresip is ready/.test(baresip.output) || baresip.#exited, 30_000);
      if (!baresip.#exited) return baresip;
      await baresip.stop();
      // It takes the next port too, for TLS.
      if (attempt === 5 || !baresip.output.includes("Address already in use"))
        throw new Error(`baresip ended at once:\n${baresip.output}`);
    }
  }

  #config(): string {
    const firstRtp = rtpPorts.first + (nextRange++ % rtpPorts.ranges) * rtpPorts.each;
    const modules = ["g711", "g722", "aufile", "aubridge", "sndfile", "account", "menu"];
    return [
      "poll_method epoll",
      `sip_listen ${host}:${this.port}`,
      "call_local_timeout 60",
      `audio_source aufile,${join(this.#folder, "sound.wav")}`,
      "audio_player aubridge,nil",
      "audio_alert aubridge,nil",
      `ausrc_srate ${this.#rate}`,
      `auplay_srate ${this.#rate}`,
      "ausrc_channels 1",
      "auplay_channels 1",
      `rtp_ports ${firstRtp}-${firstRtp + rtpPorts.each - 1}`,
      "rtcp_mux no",
      `net_interface ${host}`,
      `snd_path ${this.#folder}`,
      "module_path /usr/lib/baresip/modules",
      ...modules.map((name) => `module ${name}.so`),
      "",
    ].join("\n");
  }

  /** What came from the network, at the codec's rate, as far as it is recorded. */
  recorded(): Int16Array {
    const name = readdirSync(this.#folder).find(
      (file) => file.startsWith("dump-") && file.endsWith("-dec.wav"),
    );
    if (name === undefined) throw new Error(`baresip recorded nothing:\n${this.output}`);
    return fromWav(readFileSync(join(this.#folder, name)), this.#rate);
  }

  /** Ends baresip; it hangs up and completes its recording. */
  async quit(): Promise<void> {
    if (!this.#exited) this.#process.kill("SIGTERM");
    await until("baresip's end", () => this.#exited);
  }

  async stop(): Promise<void> {
    await this.quit();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
