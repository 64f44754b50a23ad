import { beforeEach, expect, test } from "vitest";
import { createLogger, silentLogger } from "../../src/core/index.ts";
import { LoginGuard, RegisterDesk, type Readiness } from "../../src/registrar/index.ts";
import { parseMessage, type Flow, type ServerTransaction, type SipResponse } from "../../src/sip/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";

const address = "192.0.2.1";
const connection = { remoteAddress: address, open: true };

let guard: LoginGuard;
let asked: string[];
let judged: number;
let lines: string[];
/** What the registrar does with a REGISTER beside counting it. */
let judge: () => void;
let answers: SipResponse[];
let readiness: PromiseWithResolvers<Readiness> | undefined;
let desk: RegisterDesk;

beforeEach(() => {
  const limits = { perAccount: 2, perAddress: 9, perDn: 9, forgiveSeconds: 30, neverBan: [] };
  guard = new LoginGuard({ clock: new FakeClock(), limits: () => limits, log: silentLogger });
  [asked, judged, answers, lines] = [[], 0, [], []];
  judge = () => {};
  connection.open = true;
  readiness = Promise.withResolvers<Readiness>();
  desk = new RegisterDesk({
    registrar: {
      handleRegister() {
        judged++;
        judge();
      },
    },
    guard,
    prepare(dn, from) {
      asked.push(`${dn} from ${from}`);
      return readiness?.promise;
    },
    random: new CountingRandom(),
    log: createLogger("info", { write: (line) => void lines.push(line) }),
  });
});

function register(authorization = 'Authorization: Digest username="5001"\r\n'): ServerTransaction {
  const head =
    "REGISTER sip:gw.test SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n";
  const names =
    "From: <sip:5001@gw.test>;tag=1\r\nTo: <sip:5001@gw.test>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n";
  const outcome = parseMessage(
    Buffer.from(`${head}${names}${authorization}Content-Length: 0\r\n\r\n`),
    "frame",
  );
  if (!("message" in outcome) || outcome.message.kind !== "request") throw new Error("no request");
  return {
    request: outcome.message,
    flow: connection as Flow,
    pending: true,
    respond: (response) => void answers.push(response),
    rebind: () => {},
  };
}

async function told(what: Readiness): Promise<void> {
  readiness?.resolve(what);
  await readiness?.promise;
  await Promise.resolve();
}

test("a REGISTER is judged when all is known of its DN, and at once where it is already", async () => {
  desk.receive(register());
  expect([asked, judged]).toEqual([["5001 from 192.0.2.1"], 0]);
  await told("ready");
  expect([judged, answers]).toEqual([1, []]);
  readiness = undefined;
  desk.receive(register());
  expect(judged).toBe(2);
});

test("nobody is looked up for who shows no password, nor for who is shut out", () => {
  desk.receive(register(""));
  expect([asked, judged]).toEqual([[], 1]);
  for (let times = 0; times < 2; times++) guard.failed(address, "5001");
  desk.receive(register());
  expect([asked, judged]).toEqual([[], 2]);
});

test.each<[Readiness, string]>([
  ["down", "Directory Does Not Answer"],
  ["busy", "Too Many Sign-Ins"],
])(
  "where the directory is %s it gets 503 %s, and when to come again; it counts as no wrong password",
  async (what, reason) => {
    desk.receive(register());
    await told(what);
    expect(judged).toBe(0);
    expect(
      answers.map(({ status, reason: words, headers }) => [status, words, headers.get("Retry-After")]),
    ).toEqual([[503, reason, "5"]]);
    expect(guard.size).toBe(0);
  },
);

test("a connection that has closed meanwhile gets no binding and no answer", async () => {
  desk.receive(register());
  connection.open = false;
  await told("ready");
  expect([judged, answers]).toEqual([0, []]);
});

test("a fault of ours in a REGISTER that had to wait costs a log line and not the process", async () => {
  judge = () => {
    throw new Error("ours");
  };
  desk.receive(register());
  await told("ready");
  await Promise.resolve();
  expect([judged, lines.length]).toEqual([1, 1]);
  expect(lines[0]).toContain("ours");
});
