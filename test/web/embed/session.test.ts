import { beforeEach, describe, expect, it } from "vitest";
import type { AnswerMessage, Command, EventMessage, Status } from "../../../web/sdk/protocol.ts";
import {
  CommandRefused,
  EmbedSession,
  MOST_ANSWERS,
  MOST_COMMANDS,
  MOST_UNDER_WAY,
} from "../../../web/src/softphone/embed/session.ts";

const WWE = "https://wwe.example.com";
const OTHER = "https://other.example.com";
const status: Status = {
  connection: "idle",
  registration: "none",
  sip_server: { state: "unknown", reason: "" },
  mode: "phone",
  calls: [],
};

let posted: (readonly [message: AnswerMessage | EventMessage, origin: string])[];
let ran: Command[];
let now: number;
let run: (command: Command) => unknown;
let session: EmbedSession;

beforeEach(() => {
  posted = [];
  ran = [];
  now = 5;
  run = () => undefined;
  session = new EmbedSession({
    origins: [WWE],
    post: (message, origin) => posted.push([message, origin]),
    run: (command) => {
      ran.push(command);
      return run(command);
    },
    status: () => status,
    now: () => now,
  });
});

function ask(id: string, command = "get_status", data?: unknown): Promise<void> {
  const message = { jackfield: 1, id, command, ...(data === undefined ? {} : { data }) };
  return session.hear({ origin: WWE, fromParent: true, data: message });
}

function answers(): AnswerMessage[] {
  return posted.flatMap(([message]) => ("answer" in message ? [message] : []));
}

describe("who is heard", () => {
  it("is the parent alone, and only with an origin of the list", async () => {
    const data = { jackfield: 1, id: "1", command: "sign_out" };
    for (const origin of [
      OTHER,
      "null",
      "",
      `${WWE}.evil.example`,
      "http://wwe.example.com",
      `${WWE}:8443`,
      WWE.toUpperCase(),
    ])
      await session.hear({ origin, fromParent: true, data });
    // A sibling frame or a popup of the same origin.
    await session.hear({ origin: WWE, fromParent: false, data });
    expect([posted, ran]).toEqual([[], []]);
    await session.hear({ origin: WWE, fromParent: true, data });
    expect(ran).toEqual([{ name: "sign_out", data: {} }]);
  });

  it("gets no answer to what is none of ours", async () => {
    for (const data of [undefined, null, "hello", 7, [], { event: "subscribe", userAgent: "WWE Client" }])
      await session.hear({ origin: WWE, fromParent: true, data });
    expect(posted).toEqual([]);
  });
});

describe("the handshake", () => {
  it("begins with ready to a parent that the browser names and the list has", () => {
    session.begin(WWE);
    expect(posted).toEqual([[{ jackfield: 1, event: "ready", data: status }, WWE]]);
  });

  it("says nothing to an unknown or hostile parent", () => {
    session.begin(undefined);
    session.begin(OTHER);
    session.tell("registered", { dn: "5001" });
    expect(posted).toEqual([]);
  });

  it("begins with the first command where the browser did not name the parent, ready before the answer, once", async () => {
    session.begin(undefined);
    await ask("1");
    await ask("2");
    expect(posted.map(([message]) => ("event" in message ? message.event : message.answer))).toEqual([
      "ready",
      "1",
      "2",
    ]);
    session.tell("registered", { dn: "5001" });
    expect(new Set(posted.map(([, origin]) => origin))).toEqual(new Set([WWE]));
  });
});

describe("an answer", () => {
  it("has the command's id and its result, or code and words", async () => {
    run = () => status;
    await ask("a");
    run = () => {
      throw new CommandRefused("no_such_call", "There is no call.");
    };
    await ask("b", "hangup");
    await ask("c", "reboot");
    expect(answers()).toEqual([
      { jackfield: 1, answer: "a", ok: true, result: status },
      {
        jackfield: 1,
        answer: "b",
        ok: false,
        error: { code: "no_such_call", text: "There is no call." },
      },
      {
        jackfield: 1,
        answer: "c",
        ok: false,
        error: { code: "unknown_command", text: "There is no such command." },
      },
    ]);
  });

  it("repeats nothing of a password, also where something goes wrong inside", async () => {
    run = (command) => {
      throw new Error(JSON.stringify(command));
    };
    await ask("a", "sign_in", { dn: "5001", password: "hush-hush" });
    await ask("b", "sign_in", { dn: "5001", password: "hush-hush", more: 1 });
    expect(answers().map((one) => !one.ok && one.error.code)).toEqual(["failed", "bad_field"]);
    expect(JSON.stringify(posted)).not.toContain("hush");
  });
});

describe("a flood", () => {
  it("is carried out up to its limit, told of it up to another, and then left without an answer", async () => {
    for (let id = 0; id < 500; id++) await ask(String(id), "mute");
    expect(ran.length).toBe(MOST_COMMANDS);
    expect(answers().length).toBe(MOST_ANSWERS);
    expect(answers().at(-1)).toMatchObject({ answer: String(MOST_ANSWERS - 1), error: { code: "too_many" } });
    now += 1000;
    await ask("later", "mute");
    expect(answers().at(-1)).toMatchObject({ answer: "later", ok: true });
  });

  it("counts garbage too, and messages of others not", async () => {
    for (let turn = 0; turn < 50; turn++) await session.hear({ origin: WWE, fromParent: true, data: "x" });
    await ask("1");
    expect(ran.length).toBe(1);
    for (let turn = 0; turn < MOST_COMMANDS; turn++) await ask("g", "garbage");
    await ask("2");
    expect(ran.length).toBe(1);
  });

  it("does not pile up commands that wait for a person", async () => {
    const waiting: (() => void)[] = [];
    run = () => new Promise<void>((resolve) => waiting.push(resolve));
    const all = Array.from({ length: MOST_UNDER_WAY + 1 }, (_, id) => ask(String(id), "sign_out"));
    await all.at(-1);
    expect(answers()).toMatchObject([{ answer: String(MOST_UNDER_WAY), error: { code: "too_many" } }]);
    for (const resolve of waiting) resolve();
    await Promise.all(all);
    run = () => undefined;
    now += 1000;
    await ask("later");
    expect(answers().at(-1)).toMatchObject({ answer: "later", ok: true });
  });
});
