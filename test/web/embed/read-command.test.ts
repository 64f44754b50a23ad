import { describe, expect, it } from "vitest";
import { isOurs, readCommand } from "../../../web/src/softphone/embed/read-command.ts";
import { seededFraction } from "../../support/seeded.ts";

function read(command: unknown, data?: unknown, more: object = {}): ReturnType<typeof readCommand> {
  return readCommand({ jackfield: 1, id: "7", command, ...(data === undefined ? {} : { data }), ...more });
}

function codeOf(answer: ReturnType<typeof readCommand>): string | undefined {
  return "refusal" in answer ? answer.refusal.code : undefined;
}

const GOOD: readonly (readonly [name: string, data: unknown])[] = [
  ["sign_in", { dn: "5001", password: "geheim £ 123" }],
  ["sign_in", { token: "abc.DEF-123_~" }],
  ["sign_out", undefined],
  ["sign_out", {}],
  ["make_call", { number: "+49 (30) 123-45" }],
  ["make_call", { number: "*21#" }],
  ["make_call", { number: "ann.lee" }],
  ["answer_call", undefined],
  ["answer_call", { call_id: "call-1@10.0.0.1" }],
  ["hangup", { call_id: "a" }],
  ["hold", {}],
  ["retrieve", {}],
  ["mute", { call_id: "a" }],
  ["unmute", {}],
  ["send_dtmf", { digits: "0123456789*#" }],
  ["send_dtmf", { digits: "1", call_id: "a" }],
  ["transfer", { number: "5002" }],
  ["transfer", { to_call_id: "b", call_id: "a" }],
  ["get_status", undefined],
  ["configure", {}],
  ["configure", { mode: "audio" }],
  ["configure", { workspace_options: { "policy.session.agc_mode": "0" } }],
  ["configure", { noise_suppression: false, speaker_volume: 0.5, ring_volume: 1, notifications: true }],
];

const BAD: readonly (readonly [name: string, data: unknown])[] = [
  ["sign_in", undefined],
  ["sign_in", { dn: "5001" }],
  ["sign_in", { password: "x" }],
  ["sign_in", { dn: "5001", password: "" }],
  ["sign_in", { dn: 5001, password: "x" }],
  ["sign_in", { dn: "50 01", password: "x" }],
  ["sign_in", { dn: "5001@evil.example", password: "x" }],
  ["sign_in", { dn: "5".repeat(65), password: "x" }],
  ["sign_in", { dn: "5001", password: "x".repeat(257) }],
  ["sign_in", { dn: "5001", password: "x", token: "y" }],
  ["sign_in", { dn: "5001", password: "x", server: "wss://evil.example/ws" }],
  ["sign_in", { token: "has blank" }],
  ["sign_out", { dn: "5001" }],
  ["make_call", undefined],
  ["make_call", { number: "" }],
  ["make_call", { number: " - " }],
  ["make_call", { number: "1".repeat(66) }],
  ["make_call", { number: "sip:5002@evil.example" }],
  ["make_call", { number: "5002\r\nX-Evil: 1" }],
  ["make_call", { number: "5002\n" }],
  ["make_call", { number: ["5002"] }],
  ["answer_call", { call_id: "" }],
  ["answer_call", { call_id: "a b" }],
  ["hangup", { call_id: "a".repeat(257) }],
  ["hangup", { call_id: null }],
  ["hold", { call_id: undefined }],
  ["mute", { on: true }],
  ["send_dtmf", { digits: "" }],
  ["send_dtmf", { digits: "12A" }],
  ["send_dtmf", { digits: "1".repeat(33) }],
  ["transfer", {}],
  ["transfer", { call_id: "a" }],
  ["transfer", { number: "5002", to_call_id: "b" }],
  ["get_status", []],
  ["get_status", "all"],
  ["get_status", { verbose: true }],
  ["configure", { mode: "kiosk" }],
  ["configure", { workspace_options: "agc_mode=0" }],
  ["configure", { noise_suppression: 1 }],
  ["configure", { speaker_volume: 1.1 }],
  ["configure", { ring_volume: Number.NaN }],
  ["configure", { microphone: "Headset" }],
  ["configure", { mode: "audio", __proto__x: 1 }],
];

describe("reading a command", () => {
  it.each(GOOD)("takes %s with %j", (name, data) => {
    expect(read(name, data)).toEqual({ id: "7", command: { name, data: data ?? {} } });
  });

  it.each(BAD)("refuses %s with %j", (name, data) => {
    expect(codeOf(read(name, data))).toBe("bad_field");
  });

  it("says which fields a command takes and what they must be, and repeats no value", () => {
    const text = (answer: ReturnType<typeof readCommand>): string =>
      "refusal" in answer ? answer.refusal.text : "";
    expect(text(read("transfer", { number: "hush!", to: 1 }))).toBe("transfer: takes number, call_id only.");
    expect(text(read("send_dtmf", { digits: "x" }))).toBe(
      "send_dtmf: digits must be 1 to 32 of 0 to 9, * and #.",
    );
    expect(text(read("sign_in", { dn: "5001", password: "hush\u0000" }))).not.toContain("hush");
  });

  it("tells messages of others from its own", () => {
    for (const other of [undefined, null, 1, "jackfield", [], {}, { event: "ready" }, () => 1])
      expect(isOurs(other)).toBe(false);
    expect(isOurs({ jackfield: 0 })).toBe(true);
    expect(isOurs(Object.create({ jackfield: 1 }))).toBe(false);
  });

  it("refuses other versions, unknown commands, ids that cannot be answered, and strangers beside the data", () => {
    for (const version of [0, 2, "1", true, null])
      expect(codeOf(readCommand({ jackfield: version, id: "7", command: "get_status" }))).toBe(
        "unsupported_version",
      );
    for (const name of ["", "reboot", "toString", "__proto__", "constructor", "Sign_in", 1, null, {}])
      expect(codeOf(read(name))).toBe("unknown_command");
    for (const id of ["", "x".repeat(65), 7, null, undefined, {}])
      expect(readCommand({ jackfield: 1, id, command: "get_status" })).toMatchObject({
        id: null,
        refusal: { code: "bad_message" },
      });
    expect(codeOf(read("get_status", {}, { target: "*" }))).toBe("bad_message");
  });

  it("throws at nothing and lets nothing through that the table above does not say", () => {
    const random = seededFraction(20261121);
    const pick = <T>(from: readonly T[]): T => from.at(Math.floor(random() * from.length)) as T;
    const names = [...GOOD.map(([name]) => name), "x", "__proto__", 1, null];
    const keys = ["dn", "password", "token", "number", "call_id", "to_call_id", "digits", "mode", "x"];
    const value = (depth: number): unknown =>
      pick<() => unknown>([
        () => pick(["", "5001", "audio", "*", "\u0000", "😀", "a".repeat(300), "1 2"]),
        () =>
          pick([
            0,
            -1,
            Number.POSITIVE_INFINITY,
            Number.NaN,
            true,
            null,
            undefined,
            10n,
            new Date(0),
            new Map(),
            /x/,
          ]),
        () => (depth > 2 ? 0 : object(depth + 1)),
        () => (depth > 2 ? 0 : [value(depth + 1), value(depth + 1)]),
      ])();
    const object = (depth: number): Record<string, unknown> =>
      Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, () => [pick(keys), value(depth)]));
    let taken = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      const message = {
        jackfield: random() < 0.9 ? 1 : value(0),
        id: random() < 0.9 ? "7" : value(0),
        command: pick(names),
        ...(random() < 0.8 ? { data: random() < 0.9 ? object(0) : value(0) } : {}),
        ...(random() < 0.1 ? object(0) : {}),
      };
      const answer = readCommand(message);
      if ("refusal" in answer) continue;
      taken++;
      for (const one of Object.values(answer.command.data)) {
        if (answer.command.name === "configure" && typeof one !== "string") continue;
        expect(typeof one).toBe("string");
        expect(one).toMatch(/^[^\p{Cc}]{1,256}$/u);
      }
    }
    expect(taken).toBeGreaterThan(500);
  });
});
