import { createHmac } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { CallRecords, type CallRecordsOptions } from "../../src/records/index.ts";
import { TestAuthority } from "../support/certificates.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { callRecord, idOf, keptLog } from "./support/record-data.ts";
import { folder, Receiver, until } from "./support/record-lab.ts";

type Webhook = NonNullable<CallRecordsOptions["webhook"]>;

/** A gateway's records toward a receiver, on a clock that only the test moves. */
function open(url: string, queueDirectory: string, options: Partial<Webhook> = {}) {
  const clock = new FakeClock();
  const { log, told, lines } = keptLog();
  const records = new CallRecords({
    hideNumbers: false,
    // Time flies here: a request must not be over by it.
    webhook: { url, queueDirectory, timeoutMs: 1e9, maxQueueBytes: 50e6, batch: 1, ...options },
    clock,
    random: new CountingRandom(),
    log,
  });
  onTestFinished(() => close());
  const add = (from: number, to = from): void => {
    for (let number = from; number <= to; number++) records.add(callRecord(number));
  };
  const counters = () => records.counters.webhook;
  /** Also where time has to pass for it. */
  async function close(): Promise<void> {
    let done = false;
    const closing = records.close().finally(() => (done = true));
    await until(() => done, clock);
    await closing;
  }
  return {
    records,
    clock,
    told,
    lines,
    add,
    counters,
    close,
    idle: () => until(() => counters().queued === 0, clock),
  };
}

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => idOf(from + index));
const deadLetters = (directory: string): string[] =>
  readFileSync(join(directory, "dead-letter.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);

describe("the webhook", () => {
  it("gets each record once, in order, and leaves nothing on the disk but where it is", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    const { add, counters, idle, close, clock, told } = open(receiver.url, directory);
    add(1, 30);
    await idle();
    expect(receiver.taken).toEqual(range(1, 30));
    expect(JSON.parse(receiver.requests[0]?.body ?? "")).toMatchObject({
      records: [{ schema: 1, dn: "5001" }],
    });
    expect(counters()).toEqual({ written: 30, failed: 0, dropped: 0, refused: 0, queued: 0, bytes: 0 });
    await close();
    expect([clock.pendingTimers, told()]).toEqual([0, []]);
  });

  it("is waited for in files that nobody else may read", async () => {
    const directory = folder();
    const { add, counters, clock } = open("http://127.0.0.1:1/", directory);
    add(1);
    await until(() => counters().failed > 0, clock);
    const queue = readdirSync(directory).filter((name) => name.startsWith("queue-"));
    expect(queue.map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([0o600]);
  });

  it("can tell who sent a request, and when, by its signature, and a repetition by its key", async () => {
    const receiver = await new Receiver().listen();
    let answers = 0;
    receiver.answer = () => ({ status: answers++ === 0 ? 500 : 200 });
    const { add, idle, clock } = open(receiver.url, folder(), { secret: "s3cret" });
    const began = Math.floor(clock.wallClock() / 1000);
    add(1);
    await idle();
    const [first, second] = receiver.requests;
    expect(first?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{64}$/);
    expect(second?.headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
    for (const { headers, body } of receiver.requests) {
      // As docs/call-records.md says it.
      const [, seconds, hmac] =
        /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-jackfield-signature"])) ?? [];
      expect(hmac).toBe(createHmac("sha256", "s3cret").update(`${seconds}.${body}`).digest("hex"));
      expect(headers["content-type"]).toBe("application/json");
      expect(Number(seconds)).toBeGreaterThanOrEqual(began);
      expect(Number(seconds)).toBeLessThanOrEqual(clock.wallClock() / 1000);
    }
    expect(first?.headers["x-jackfield-signature"]).not.toBe(second?.headers["x-jackfield-signature"]);
  });

  it.each(["reset", "die", "garbage", 500, 503, 429, 408, 302, 307] as const)(
    "that answers with %s gets the record again until it takes it, and then the others in order",
    async (fault) => {
      const receiver = await new Receiver().listen();
      let faults = 0;
      const elsewhere = await new Receiver().listen();
      receiver.answer = () =>
        faults++ >= 5
          ? { status: 200, body: "x".repeat(1000) }
          : typeof fault === "number"
            ? { status: fault, headers: { Location: elsewhere.url, "Retry-After": "7" } }
            : fault;
      const { add, counters, idle, told, lines } = open(receiver.url, folder());
      add(1, 5);
      await idle();
      expect(receiver.taken).toEqual(range(1, 5));
      expect(elsewhere.requests).toEqual([]);
      expect(counters()).toMatchObject({ written: 5, failed: 5, refused: 0, dropped: 0 });
      // One line when it began and one when it was over, without the address' path and query: keys stand there.
      expect(told()).toEqual([
        "webhook does not take call records: they wait on disk",
        "webhook takes call records again",
      ]);
      expect(JSON.stringify(lines)).not.toMatch(/not-to-be-logged|\/calls/);
    },
  );

  it("that never answers is given up after the time allowed, and asked again", async () => {
    const receiver = await new Receiver().listen();
    let hangs = 2;
    receiver.answer = () => (hangs-- > 0 ? "hang" : { status: 200 });
    const { add, counters, clock, records } = open(receiver.url, folder(), { timeoutMs: 20_000 });
    add(1);
    await until(() => receiver.requests.length === 1);
    clock.advance(19_999);
    expect(counters().failed).toBe(0);
    clock.advance(1);
    await until(() => counters().failed === 1);
    await until(() => counters().written === 1, clock);
    expect(receiver.taken).toEqual(range(1, 1));
    void records;
  });

  it("that talks without end is not listened to", async () => {
    const receiver = await new Receiver().listen();
    receiver.answer = () => ({ status: 200, body: Buffer.alloc(20_000_000) });
    const { add, idle, counters } = open(receiver.url, folder());
    add(1, 3);
    await idle();
    expect(counters()).toMatchObject({ written: 3, failed: 0 });
  });

  it("is asked ever more rarely while it is down, and as late as it wants", async () => {
    const receiver = await new Receiver().listen();
    let wish = (): string => "0";
    receiver.answer = () => ({ status: 503, headers: { "Retry-After": wish() } });
    const { add, counters, clock } = open(receiver.url, folder());
    // What is asked of the clock, not what passes on it: that depends on how fast this machine is just now.
    const timers = vi.spyOn(clock, "setTimer");
    const pauses = (): number[] => timers.mock.calls.map(([ms]) => ms).filter((ms) => ms < 1e9);
    const failedAgain = async (): Promise<void> => {
      const { failed } = counters();
      await until(() => counters().failed > failed, clock, 10_000);
    };
    add(1);
    for (let index = 0; index < 11; index++) await failedAgain();
    for (const [index, pause] of pauses().slice(0, 11).entries()) {
      const whole = Math.min(300_000, 1000 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
      expect(pause).toBeLessThan(whole);
    }
    wish = () => "450";
    await failedAgain();
    await failedAgain();
    expect(pauses()).toContain(450_000);
    // Or as a date; some time passes until it is read. By itself a pause is 300 s at most.
    wish = () => new Date(clock.wallClock() + 590_000).toUTCString();
    await failedAgain();
    await failedAgain();
    expect(pauses().filter((ms) => ms > 300_000 && ms !== 450_000)).not.toEqual([]);
    wish = () => "999999999";
    await failedAgain();
    await failedAgain();
    expect(Math.max(...pauses())).toBe(600_000);
  });

  it("that refuses one record for good (4xx) gets the others; the one is put aside, and can be sent again", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    receiver.answer = (ids) => ({ status: ids.includes(idOf(13)) ? 400 : 200 });
    const first = open(receiver.url, directory, { batch: 10 });
    first.add(1, 40);
    await first.idle();
    expect(receiver.taken).toEqual(range(1, 40).filter((id) => id !== idOf(13)));
    expect(deadLetters(directory)).toEqual([idOf(13)]);
    expect(first.counters()).toMatchObject({ written: 39, refused: 1, dropped: 0 });
    expect(first.told()).toContain("a call record is refused by the webhook and was put aside");
    await first.close();
    // What docs/call-records.md tells to do once the receiver is mended.
    renameSync(join(directory, "dead-letter.jsonl"), join(directory, "requeue.jsonl"));
    receiver.answer = () => ({ status: 200 });
    const second = open(receiver.url, directory);
    await until(() => receiver.taken.includes(idOf(13)), second.clock);
    await second.idle();
    expect(readdirSync(directory)).not.toContain("requeue.jsonl");
  });

  it("that refuses some for good is asked eight times for each; they are put aside in a file that is begun anew when it is long", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    receiver.answer = (ids) => ({ status: ids.some((id) => [idOf(2), idOf(3)].includes(id)) ? 422 : 200 });
    const long = `{"id":"${"x".repeat(15_000)}"}\n`;
    writeFileSync(join(directory, "dead-letter.jsonl"), long);
    const { add, clock, counters } = open(receiver.url, directory, { maxQueueBytes: 20_000 });
    add(1, 5);
    // Minutes pass between the tries.
    await until(() => counters().queued === 0, clock, 10_000);
    expect(receiver.taken).toEqual([1, 4, 5].map(idOf));
    expect(counters()).toMatchObject({ written: 3, refused: 2, failed: 16 });
    expect(deadLetters(directory)).toEqual([2, 3].map(idOf));
    expect(readFileSync(join(directory, "dead-letter.jsonl.old"), "utf8")).toBe(long);
  });

  // A 4xx is final after 8 tries; 408 and 429 never are.
  it.each([
    [400, 7],
    [408, 9],
    [429, 9],
  ])("that answers %s for a while and is mended then gets every record", async (status, times) => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    let refusals = 0;
    receiver.answer = () => ({ status: refusals++ < times ? status : 200 });
    const sending = open(receiver.url, directory);
    sending.add(1, 3);
    await until(() => receiver.taken.length === 3, sending.clock);
    await sending.idle();
    expect(receiver.taken).toEqual(range(1, 3));
    expect(readdirSync(directory)).not.toContain("dead-letter.jsonl");
    expect(sending.counters()).toMatchObject({ written: 3, failed: times, refused: 0, dropped: 0 });
  });

  it("gets several records in one request where told so", async () => {
    const receiver = await new Receiver().listen();
    const { add, idle } = open(receiver.url, folder(), { batch: 25 });
    add(1, 100);
    await idle();
    expect(receiver.taken).toEqual(range(1, 100));
    expect(receiver.requests.length).toBeLessThan(20);
    expect(Math.max(...receiver.requests.map(({ ids }) => ids.length))).toBe(25);
  });

  it("gets all 10,000 records that came while it was down, in order", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    const { port, url } = receiver;
    await receiver.close();
    const first = open(url, directory);
    first.add(1, 4000);
    await until(() => first.counters().failed > 2, first.clock);
    await first.close();
    const second = open(url, directory, { batch: 50 });
    second.add(4001, 10_000);
    await until(() => second.counters().failed > 2 && second.counters().queued === 10_000, second.clock);
    const again = new Receiver();
    await again.listen(port);
    await second.idle();
    expect(again.taken).toEqual(range(1, 10_000));
    expect(second.counters()).toMatchObject({ written: 10_000, dropped: 0, bytes: 0 });
  });

  it("that is down for too long loses the oldest records, which is logged and counted", async () => {
    const receiver = await new Receiver().listen();
    receiver.answer = () => ({ status: 503 });
    const directory = folder();
    const { add, counters, idle, told } = open(receiver.url, directory, { maxQueueBytes: 200_000 });
    for (let number = 1; number <= 1000; number += 20) {
      add(number, number + 19);
      await until(() => readdirSync(directory).some((name) => name.startsWith("queue-")));
    }
    await until(() => counters().dropped > 0 && counters().bytes < 230_000);
    const { dropped, queued } = counters();
    expect(dropped + queued).toBe(1000);
    expect(told()).toContain("queue of call records is full: the oldest are dropped");
    receiver.answer = () => ({ status: 200 });
    await idle();
    const taken = [...new Set(receiver.taken)];
    expect(taken).toEqual(range(1000 - taken.length + 1, 1000));
    expect(taken.length).toBeGreaterThanOrEqual(queued);
  });

  it("gets what waits at the end for a few seconds, and the rest after the next start", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    receiver.answer = () => "hang";
    const first = open(receiver.url, directory);
    first.add(1, 3);
    await until(() => receiver.requests.length === 1);
    const began = first.clock.now();
    await first.close();
    expect(first.clock.now() - began).toBeLessThan(5000);
    expect(first.clock.pendingTimers).toBe(0);
    expect(first.told()).toContain("call records wait on disk for the next start");
    receiver.answer = () => ({ status: 200 });
    const second = open(receiver.url, directory);
    second.add(4);
    await second.idle();
    expect(receiver.taken).toEqual(range(1, 4));
  });

  it.each<[string, string]>([
    ["half a last line", '{"schema":1,"id":"ha'],
    ["zeros that a power failure left", `${"\0".repeat(300)}\n`],
    ["lines that are no JSON", "nonsense\n{\n"],
  ])("gets every whole record of a queue with %s", async (_what, rest) => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    const line = (number: number): string => `${JSON.stringify({ schema: 1, id: idOf(number) })}\n`;
    writeFileSync(join(directory, "queue-000000007.jsonl"), line(1) + line(2) + rest);
    writeFileSync(join(directory, "queue-000000008.jsonl"), `${rest.includes("\n") ? rest : ""}${line(3)}`);
    writeFileSync(join(directory, "position.json"), '{"segment":7,"off');
    const { add, idle, counters } = open(receiver.url, directory, { batch: 10 });
    add(4);
    await until(() => receiver.taken.length >= 4);
    await idle();
    expect(receiver.taken).toEqual(range(1, 4));
    expect(counters().queued).toBe(0);
  });

  it("loses nothing of a file of its queue that cannot be opened for a while", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    const [file, aside] = [join(directory, "queue-000000007.jsonl"), join(directory, "aside")];
    writeFileSync(
      file,
      [1, 2].map((number) => `${JSON.stringify({ schema: 1, id: idOf(number) })}\n`).join(""),
    );
    receiver.answer = () => ({ status: 503 });
    const { add, idle, told, clock } = open(receiver.url, directory);
    await until(() => receiver.requests.length > 0);
    renameSync(file, aside);
    // Opening it fails with ELOOP, as with EMFILE where too many files are open.
    symlinkSync(file, file);
    receiver.answer = () => ({ status: 204 });
    add(3);
    await until(() => told().some((line) => line.includes("cannot be read")), clock);
    rmSync(file);
    renameSync(aside, file);
    await until(() => receiver.taken.length === 3, clock);
    await idle();
  });

  it("gets nothing again of a file that is done, and all of one that came behind it", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    const line = (number: number): string => `${JSON.stringify({ schema: 1, id: idOf(number) })}\n`;
    writeFileSync(join(directory, "queue-000000006.jsonl"), line(1));
    writeFileSync(join(directory, "queue-000000007.jsonl"), line(2) + line(3));
    writeFileSync(
      join(directory, "position.json"),
      JSON.stringify({ segment: 7, offset: Buffer.byteLength(line(2)) }),
    );
    const { idle, counters } = open(receiver.url, directory);
    await until(() => receiver.taken.length > 0);
    await idle();
    expect(receiver.taken).toEqual(range(3, 3));
    expect(counters().written).toBe(1);
  });

  it("gets all that waits behind files that are long done and gone, over two restarts", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    receiver.answer = () => ({ status: 503 });
    writeFileSync(join(directory, "position.json"), '{"segment":8,"offset":0}');
    const first = open(receiver.url, directory);
    first.add(1, 3);
    await until(() => first.counters().failed > 0, first.clock);
    await first.close();
    receiver.answer = () => ({ status: 200 });
    const second = open(receiver.url, directory);
    await until(() => receiver.taken.length === 3, second.clock);
    expect(receiver.taken).toEqual(range(1, 3));
  });

  it("goes on when its queue was cleared away while it ran", async () => {
    const [receiver, directory] = [await new Receiver().listen(), folder()];
    const { add, idle } = open(receiver.url, directory);
    add(1, 20);
    await idle();
    for (const name of readdirSync(directory)) rmSync(join(directory, name));
    add(21, 22);
    await until(() => receiver.taken.length === 22);
    expect(receiver.taken).toEqual(range(1, 22));
  });

  it("whose folder cannot be used makes one line in the log; its records wait in memory until it can", async () => {
    const receiver = await new Receiver().listen();
    const directory = join(folder(), "later");
    const { add, idle, told, clock, counters } = open(receiver.url, directory);
    add(1, 5);
    await until(() => clock.now() > 60_000, clock);
    expect(told()).toEqual(["queue of call records cannot be opened; they wait in memory"]);
    expect(counters().queued).toBe(5);
    mkdirSync(directory);
    await idle();
    expect(receiver.taken).toEqual(range(1, 5));
    chmodSync(directory, 0o755);
  });
});

describe("a webhook over TLS", () => {
  const authority = new TestAuthority();
  afterAll(() => authority.remove());

  it("is taken with a certificate of the configured authority, and not without it", async () => {
    const receiver = await new Receiver(authority.issue("webhook", "IP:127.0.0.1")).listen();
    const stranger = open(receiver.url, folder());
    stranger.add(1);
    await until(() => stranger.counters().failed > 0, stranger.clock);
    expect(receiver.requests).toEqual([]);
    expect(JSON.stringify(stranger.lines)).toMatch(/certificate/i);
    const { add, idle } = open(receiver.url, folder(), { ca: readFileSync(authority.ca.certFile, "utf8") });
    add(2);
    await idle();
    expect(receiver.taken).toEqual(range(2, 2));
  });

  it("is taken with another authority from the next request on, and signed with another secret", async () => {
    const files = authority.issue("renewed", "IP:127.0.0.1");
    const ca = readFileSync(authority.ca.certFile, "utf8");
    const receiver = await new Receiver(files).listen();
    const former = new TestAuthority();
    onTestFinished(() => former.remove());
    const { records, add, idle, counters, clock } = open(receiver.url, folder(), {
      ca: readFileSync(former.ca.certFile, "utf8"),
      secret: "former",
    });
    add(1);
    await until(() => counters().failed > 0, clock);
    records.useWebhookKeys({ ca, secret: "renewed" });
    await idle();
    expect(receiver.taken).toEqual(range(1, 1));
    const [request] = receiver.requests;
    const [, time] = /t=(\d+)/.exec(String(request?.headers["x-jackfield-signature"])) ?? [];
    const hmac = createHmac("sha256", "renewed").update(`${time}.${request?.body}`).digest("hex");
    expect(request?.headers["x-jackfield-signature"]).toBe(`t=${time},v1=${hmac}`);
    // Trusted no more, though a connection of before still stands.
    records.useWebhookKeys({ ca: readFileSync(former.ca.certFile, "utf8"), secret: "renewed" });
    add(2);
    const failed = counters().failed;
    await until(() => counters().failed > failed, clock);
    expect(receiver.taken).toEqual(range(1, 1));
  });

  it("is not taken under another name than that of its certificate", async () => {
    const receiver = await new Receiver(authority.issue("other", "IP:192.0.2.1")).listen();
    const { add, counters, clock } = open(receiver.url, folder(), {
      ca: readFileSync(authority.ca.certFile, "utf8"),
    });
    add(1);
    await until(() => counters().failed > 0, clock);
    expect(receiver.requests).toEqual([]);
  });
});
