import { expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { MessageTally } from "../../../src/sip/transaction/message-tally.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { incoming, setUp, TestFlow } from "./support.ts";

it("messages are counted by side, direction and method or class of status, made-up methods as one", () => {
  const tally = new MessageTally();
  const clock = new FakeClock();
  const trunk = new TestFlow(clock);
  const browser = new TestFlow(clock, "WS");
  for (const line of ["INVITE sip:a@b SIP/2.0", "INVITE sip:a@b SIP/2.0", "BREW sip:a@b SIP/2.0", "X", ""])
    tally.note("received", Buffer.from(line), trunk);
  for (const line of ["SIP/2.0 200 OK", "SIP/2.0 180 Ringing", "SUBSCRIBE sip:a@b SIP/2.0"])
    tally.note("sent", Buffer.from(line), browser);
  const told = tally.all.map(({ side, direction, kind, count }) => `${side} ${direction} ${kind} ${count}`);
  expect(told.sort()).toEqual([
    "browser sent 1xx 1",
    "browser sent 2xx 1",
    "browser sent SUBSCRIBE 1",
    "trunk received INVITE 2",
    "trunk received OTHER 3",
  ]);
});

it("the layer counts what comes and what goes, repetitions too", () => {
  const { layer, receive, user } = setUp();
  user.onRequest = (request, transaction) =>
    transaction.respond(createResponse(request, 486, { toTag: "x" }));
  receive(incoming());
  receive(incoming());
  const told = layer.messages.all.map(({ direction, kind, count }) => `${direction} ${kind} ${count}`);
  expect(told.sort()).toEqual(["received INVITE 2", "sent 4xx 2"]);
});
