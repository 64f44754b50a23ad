import type { Flow } from "../transport/flow.ts";

/** One kind of message and how many there were. */
export interface MessageCount {
  readonly side: Flow["side"];
  readonly direction: "received" | "sent";
  /** Method of a request (of the known ones, else `OTHER`), or class of a response: `2xx`. */
  readonly kind: string;
  readonly count: number;
}

/** Methods with a count of their own; anybody can make others up. */
const methods: ReadonlySet<string> = new Set(
  "INVITE ACK BYE CANCEL REGISTER OPTIONS INFO UPDATE PRACK REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH".split(
    " ",
  ),
);
const longestMethod = 9;
const responseStart = Buffer.from("SIP/2.0 ");

/** Counts messages by side, direction and kind, repetitions too; what it reads is the start line's first word. */
export class MessageTally {
  readonly #counts = new Map<string, { readonly key: Omit<MessageCount, "count">; count: number }>();

  note(direction: MessageCount["direction"], bytes: Buffer, { side }: Flow): void {
    const kind = kindOf(bytes);
    const name = `${side} ${direction} ${kind}`;
    let entry = this.#counts.get(name);
    if (!entry) this.#counts.set(name, (entry = { key: { side, direction, kind }, count: 0 }));
    entry.count++;
  }

  get all(): MessageCount[] {
    return Array.from(this.#counts.values(), ({ key, count }) => ({ ...key, count }));
  }
}

function kindOf(bytes: Buffer): string {
  const { length } = responseStart;
  if (bytes.length > length && bytes.compare(responseStart, 0, length, 0, length) === 0)
    return `${String.fromCharCode(bytes[length] ?? 0)}xx`;
  const method =
    bytes
      .subarray(0, longestMethod + 1)
      .toString("latin1")
      .split(" ", 1)[0] ?? "";
  return methods.has(method) ? method : "OTHER";
}
