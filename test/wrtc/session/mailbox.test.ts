import { beforeEach, describe, expect, it } from "vitest";
import { lettersKept, type Mailbox, type MailboxCounters } from "../../../src/wrtc/session/mailbox.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakePoll, letter, openMailbox } from "./support.ts";

let clock: FakeClock;
let mailbox: Mailbox;
let counts: MailboxCounters;
let polling: boolean[];
/** Of HTTP/1.1. */
let connection: object;

beforeEach(() => {
  clock = new FakeClock();
  ({ mailbox, counts, polling } = openMailbox(clock));
  connection = {};
});

function poll(options?: { multiplexed?: boolean; lastOfConnection?: boolean }, by = connection): FakePoll {
  return new FakePoll(by, options).parkIn(mailbox);
}

/** Polls as a client does that has read all before. */
function pollOn(): FakePoll {
  return poll();
}

describe("polls", () => {
  it("tell what was not read yet, and forget it", () => {
    mailbox.push(letter("one"));
    mailbox.push(letter("two"));
    expect(mailbox.unread("info")).toBe("waiting");
    const one = poll();
    expect(mailbox.unread("info")).toBe("under-way");
    expect(mailbox.unread("bye")).toBeUndefined();
    mailbox.forget();
    one.events?.closed();
    expect(poll().told).toBeUndefined();
    expect(mailbox.unread("info")).toBeUndefined();
    expect(counts).toMatchObject({ requeued: 0, lost: 0 });
    mailbox.push(letter("three"));
    expect(mailbox.unread("info")).toBe("under-way");
  });

  it("get one message each, in order", () => {
    for (const body of ["one", "two", "three"]) mailbox.push(letter(body));
    const told = ["one", "two", "three"].map(() => {
      const one = pollOn();
      one.events?.flushed();
      return one.told;
    });
    expect(told).toEqual(["one", "two", "three"]);
    expect(pollOn().told).toBeUndefined();
    expect(counts).toMatchObject({ requeued: 0, lost: 0 });
  });

  it("are told what comes while they hang", () => {
    const one = poll();
    expect(one.told).toBeUndefined();
    mailbox.push(letter("hello"));
    expect(one.told).toBe("hello");
  });

  it("end empty after the time configured, over HTTP/1.1 sooner", () => {
    const [slow, quick] = [poll({ multiplexed: true }, {}), poll()];
    clock.advance(9999);
    expect(quick.told).toBeUndefined();
    clock.advance(1);
    expect(quick.told).toBe(200);
    clock.advance(14_999);
    expect(slow.told).toBeUndefined();
    clock.advance(1);
    expect(slow.told).toBe(200);
    expect(polling).toEqual([true, false]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("hang for ever where the time is 0", () => {
    ({ mailbox } = openMailbox(clock, { waitMs: 0 }));
    const one = poll();
    clock.advance(3_600_000);
    expect(one.told).toBeUndefined();
  });

  it("of a client that gives up sooner end two seconds before that from then on", () => {
    const first = poll({ multiplexed: true });
    clock.advance(12_000);
    first.events?.closed();
    const second = poll({ multiplexed: true });
    clock.advance(9999);
    expect(second.told).toBeUndefined();
    clock.advance(1);
    expect(second.told).toBe(200);
  });

  it("are learned of too when the next one is seen before the end of the one given up", () => {
    const first = poll({ multiplexed: true });
    clock.advance(12_000);
    const second = poll({ multiplexed: true });
    first.events?.closed();
    second.events?.closed();
    const third = poll({ multiplexed: true });
    clock.advance(10_000);
    expect(third.told).toBe(200);
  });

  it("that broke with the network teach nothing", () => {
    poll({ multiplexed: true }).events?.closed();
    const broken = poll({ multiplexed: true });
    clock.advance(12_000);
    broken.events?.closed();
    // grtc.js waits that long after an error.
    clock.advance(3000);
    const next = poll({ multiplexed: true });
    clock.advance(24_999);
    expect(next.told).toBeUndefined();
  });
});

describe("two polls at a time", () => {
  it("stay both, and each message goes to one of them, the newest", () => {
    const [older, newer] = [poll(), poll({}, {})];
    mailbox.push(letter("hello"));
    expect([older.told, newer.told]).toEqual([undefined, "hello"]);
  });

  it("tell in order: the second message waits until the first is surely there", () => {
    const [older, newer] = [poll(), poll({}, {})];
    mailbox.push(letter("one"));
    mailbox.push(letter("two"));
    newer.events?.flushed();
    expect(older.told).toBeUndefined();
    clock.advance(1000);
    expect([newer.told, older.told]).toEqual(["one", "two"]);
  });

  it("never grow to more than four: the oldest has to wait, so that no two chains poll in turns", () => {
    const polls = Array.from({ length: 5 }, () => poll({}, {}));
    expect(polls.map(({ told }) => told)).toEqual([429, undefined, undefined, undefined, undefined]);
  });
});

describe("a message is told again", () => {
  it("when the request was closed before the answer was written", () => {
    const one = poll();
    mailbox.push(letter("one"));
    mailbox.push(letter("two"));
    one.events?.closed();
    const next = poll({}, {});
    expect(next.told).toBe("one");
    expect(counts.requeued).toBe(1);
  });

  it("when its connection is closed right behind the answer", () => {
    const one = poll();
    mailbox.push(letter("one"));
    one.events?.flushed();
    one.events?.closed();
    expect(poll({}, {}).told).toBe("one");
  });

  it("when the next poll comes by another connection, and this one's end is seen after that", () => {
    const one = poll();
    mailbox.push(letter("one"));
    one.events?.flushed();
    const next = poll({}, {});
    mailbox.push(letter("two"));
    expect(next.told).toBeUndefined();
    one.events?.closed();
    expect(next.told).toBe("one");
  });

  it("over HTTP/2 when the client polls again before it has read our ping behind the answer", () => {
    const one = poll({ multiplexed: true });
    mailbox.push(letter("one"));
    one.events?.flushed();
    expect(poll({ multiplexed: true }).told).toBe("one");
  });

  it("when an answer cannot be written, and that poll's connection is cut", () => {
    const one = poll();
    mailbox.push(letter("one"));
    clock.advance(5000);
    expect(one.isCut).toBe(true);
    expect(poll({}, {}).told).toBe("one");
  });

  it("eight times at most", () => {
    mailbox.push(letter("one"));
    const told = Array.from({ length: 9 }, () => {
      const one = poll({}, {});
      one.events?.closed();
      return one.told;
    });
    expect(told).toEqual([...Array.from({ length: 8 }, () => "one"), undefined]);
    expect(counts).toMatchObject({ requeued: 7, lost: 1 });
  });
});

describe("a message is told once", () => {
  it("when the client polls on by the same connection", () => {
    const one = poll();
    mailbox.push(letter("one"));
    one.events?.flushed();
    const next = poll();
    one.events?.closed();
    expect(next.told).toBeUndefined();
  });

  it("over HTTP/2 when it polls on after our ping", () => {
    const one = poll({ multiplexed: true });
    mailbox.push(letter("one"));
    one.events?.flushed();
    one.events?.read();
    expect(poll({ multiplexed: true }).told).toBeUndefined();
  });

  it("when a proxy closes each connection behind its answer", () => {
    const one = poll({ lastOfConnection: true });
    mailbox.push(letter("one"));
    one.events?.flushed();
    one.events?.closed();
    expect(poll({}, {}).told).toBeUndefined();
  });

  it("when the next poll comes by another connection, and this one stays", () => {
    const one = poll();
    mailbox.push(letter("one"));
    one.events?.flushed();
    const next = poll({}, {});
    mailbox.push(letter("two"));
    clock.advance(50);
    expect(next.told).toBe("two");
  });

  it("when the client takes its time for the next poll", () => {
    const one = poll();
    mailbox.push(letter("one"));
    one.events?.flushed();
    clock.advance(60_000);
    one.events?.closed();
    expect(poll({}, {}).told).toBeUndefined();
  });
});

it("what a client does not read is bounded", () => {
  const taken = Array.from({ length: lettersKept + 50 }, (_none, index) =>
    mailbox.push(letter(String(index))),
  );
  expect(taken.filter(Boolean)).toHaveLength(lettersKept);
  expect(counts.lost).toBe(50);
  expect(poll().told).toBe("0");
});

it("a closed mailbox ends its polls, takes nothing more and leaves no timer", () => {
  const [one, other] = [poll(), poll({}, {})];
  mailbox.push(letter("bye"));
  mailbox.close(503);
  expect([one.told, other.told]).toEqual([503, "bye"]);
  other.events?.closed();
  expect(poll().told).toBe(503);
  mailbox.push(letter("late"));
  expect(mailbox.waiting).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});
