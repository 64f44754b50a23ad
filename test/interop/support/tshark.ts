import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One line of `tshark -z rtp,streams`. */
export interface StreamLine {
  /** `address:port` */
  readonly from: string;
  readonly to: string;
  /** Lower case, `0x`. */
  readonly ssrc: string;
  readonly payload: string;
  readonly packets: number;
  readonly lost: number;
}

/** Wireshark's eyes on a capture; `rtpPorts` and `rtcpPorts` are read as such, as an engineer would tell it. */
export class Tshark {
  readonly #arguments: readonly string[];

  constructor(file: string, rtpPorts: readonly number[], rtcpPorts: readonly number[]) {
    const decode = [
      ...rtpPorts.map((port) => `udp.port==${port},rtp`),
      ...rtcpPorts.map((port) => `udp.port==${port},rtcp`),
    ].flatMap((rule) => ["-d", rule]);
    const checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];
    this.#arguments = ["-n", "-r", file, ...decode, ...checks];
  }

  /** Fields of all packets for which a display filter holds; empty where a packet has none. */
  async rows(filter: string, ...fields: string[]): Promise<string[][]> {
    const lines = await this.#run("-Y", filter, "-T", "fields", ...fields.flatMap((field) => ["-e", field]));
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"));
  }

  /** What `-z rtp,streams` tells. */
  async streams(): Promise<StreamLine[]> {
    const table = await this.#run("-q", "-z", "rtp,streams");
    const line =
      /^ +[\d.]+ +[\d.]+ +([\d.]+) +(\d+) +([\d.]+) +(\d+) +(0x[\da-fA-F]+) +(.+?) +(\d+) +(-?\d+) \(/;
    return table.split("\n").flatMap((text) => {
      const [, from, fromPort, to, toPort, ssrc = "", payload = "", packets, lost] = line.exec(text) ?? [];
      if (from === undefined) return [];
      return [
        {
          from: `${from}:${fromPort}`,
          to: `${to}:${toPort}`,
          ssrc: ssrc.toLowerCase(),
          payload,
          packets: Number(packets),
          lost: Number(lost),
        },
      ];
    });
  }

  async #run(...more: string[]): Promise<string> {
    const { stdout } = await run("tshark", [...this.#arguments, ...more]);
    return stdout;
  }
}
