import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { silentLogger } from "../../src/core/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { Lab, until } from "./support/lab.ts";
import type { Endpoint } from "./support/endpoint.ts";

let lab: Lab;
afterEach(() => lab.close());

const clock = (): FakeClock => new FakeClock();

describe("REGISTER at the sandbox", () => {
  test("is granted what it asks, and answered in the forms of the trace", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5001");
    const ok = await phone.register(600);
    expect(ok.first).toBe("SIP/2.0 200 OK");
    expect(ok.names).toEqual([
      "From",
      "To",
      "Call-ID",
      "CSeq",
      "Content-Length",
      "Via",
      "Expires",
      "Contact",
    ]);
    expect(ok.header("Expires")).toBe("600");
    expect(ok.header("Contact")).toBe(`<sip:5001@127.0.0.1:${phone.port}>;expires=600`);
    // rport stays without a value, received is added.
    expect(ok.header("Via")).toMatch(/;rport;received=127\.0\.0\.1$/);
    expect(ok.header("To")).toMatch(/;tag=[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}-\d+$/);
    expect(lab.sandbox.bindings()).toMatchObject([{ dn: "5001", expiresSeconds: 600, registrations: 1 }]);
    const again = await phone.register(600);
    expect(again.header("To")).toBe(ok.header("To"));
    expect(lab.sandbox.bindings()[0]?.registrations).toBe(2);
  });

  test("takes the DN from To, whatever From and the request URI say", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("9999");
    phone.request(
      "REGISTER",
      "sip:5002@127.0.0.1",
      [phone.contact, "Expires: 60"],
      "",
      "x",
      "<sip:5002@elsewhere>",
    );
    await phone.next((seen) => seen.status === 200);
    expect(lab.sandbox.bindings().map((binding) => binding.dn)).toEqual(["5002"]);
  });

  test("answers to the sent-by port of the Via, not to the source port", async () => {
    lab = await Lab.open(clock());
    const [sender, listener] = [await lab.endpoint("5001"), await lab.endpoint("5001")];
    const text = sender.request("OPTIONS", "sip:127.0.0.1", []);
    await sender.next((seen) => seen.status === 200);
    sender.send(
      text.replace(`127.0.0.1:${sender.port}`, `127.0.0.1:${listener.port}`).replace("z9hG4bK", "z9hG4bKx"),
    );
    expect((await listener.next((seen) => seen.status === 200)).method).toBe("OPTIONS");
  });

  test("404s a DN that is not configured, with Expires and Contact as if accepted", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5999");
    const refused = await phone.register(300);
    expect(refused.first).toBe("SIP/2.0 404 Not Found");
    expect(refused.header("Expires")).toBe("300");
    expect(refused.header("Contact")).toBe(`<sip:5999@127.0.0.1:${phone.port}>;expires=300`);
  });

  test("gives no answer to the un-REGISTER of a DN that is not configured, but 200 to that of an idle one", async () => {
    lab = await Lab.open(clock());
    const [unknown, idle] = [await lab.endpoint("5999"), await lab.endpoint("5001")];
    unknown.request(
      "REGISTER",
      "sip:127.0.0.1",
      [unknown.contact, "Expires: 0"],
      "",
      "x",
      "<sip:5999@127.0.0.1>",
    );
    expect((await idle.register(0)).status).toBe(200);
    // The idle DN's answer came after the unknown one's request was read.
    expect(unknown.all).toEqual([]);
  });

  test("keeps one binding per DN: the last writer wins, and Expires: 0 from anybody clears it", async () => {
    lab = await Lab.open(clock());
    const gone: string[] = [];
    lab.sandbox.events.on("unregistered", (dn, reason) => gone.push(`${dn} ${reason}`));
    const [first, second, third] = [
      await lab.registered("5001"),
      await lab.registered("5001"),
      await lab.endpoint("5001"),
    ];
    expect(lab.sandbox.bindings()).toMatchObject([{ contact: `sip:5001@127.0.0.1:${second.port}` }]);
    await first.register();
    expect(lab.sandbox.bindings()).toMatchObject([{ contact: `sip:5001@127.0.0.1:${first.port}` }]);
    await third.register(0);
    expect(lab.sandbox.bindings()).toEqual([]);
    expect(gone).toEqual(["5001 asked"]);
  });

  test("forgets a binding when its time is over", async () => {
    const time = clock();
    lab = await Lab.open(time);
    await (await lab.endpoint("5001")).register(300);
    time.advance(299_999);
    expect(lab.sandbox.bindings()).toHaveLength(1);
    time.advance(1);
    expect(lab.sandbox.bindings()).toEqual([]);
  });

  test("answers a repeated REGISTER with the same bytes and registers once", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5001");
    const to = "<sip:5001@127.0.0.1>";
    const text = phone.request("REGISTER", "sip:127.0.0.1", [phone.contact, "Expires: 60"], "", "x", to);
    const one = await phone.next((seen) => seen.status === 200);
    phone.send(text);
    expect((await phone.next((seen) => seen.status === 200)).raw).toBe(one.raw);
    expect(lab.sandbox.bindings()[0]?.registrations).toBe(1);
  });

  test("answers 400 to an Expires that is no number", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5001");
    phone.request(
      "REGISTER",
      "sip:127.0.0.1",
      [phone.contact, "Expires: soon"],
      "",
      "x",
      "<sip:5001@127.0.0.1>",
    );
    expect((await phone.next((seen) => seen.status > 0)).status).toBe(400);
  });
});

describe("what comes in", () => {
  test("compact names, folded lines and any order are read", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5001");
    const lines = [
      "REGISTER sip:127.0.0.1 SIP/2.0",
      "l: 0",
      `m: <sip:5001@127.0.0.1:${phone.port}>;`,
      "  expires=120",
      "cSEQ: 5 REGISTER",
      "i: compact",
      "t: sip:5001@127.0.0.1",
      "f: sip:5001@127.0.0.1;tag=x",
      `v: SIP/2.0/UDP 127.0.0.1:${phone.port};branch=z9hG4bKc`,
    ];
    phone.send(`${lines.join("\r\n")}\r\n\r\n`);
    expect((await phone.next((seen) => seen.status > 0)).header("Expires")).toBe("120");
  });

  test("keep-alives, rubbish and messages without their mandatory headers are dropped and counted", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5001");
    for (const text of [
      "\r\n\r\n",
      "\0\0",
      "hello",
      "OPTIONS sip:x SIP/2.0\r\n\r\n",
      "SIP/2.0 200 OK\r\nCSeq: 1 X\r\n\r\n",
    ])
      phone.send(text);
    phone.request("OPTIONS", "sip:127.0.0.1", []);
    await phone.next((seen) => seen.status === 200);
    expect([lab.sandbox.malformed, phone.all.length]).toEqual([3, 1]);
  });

  test("two thousand spoilt messages throw nothing out of a handler and leave it answering", async () => {
    const errors: string[] = [];
    const log = { ...silentLogger, error: (_details: object, message: string) => void errors.push(message) };
    lab = await Lab.open(clock(), { log: { ...log, child: () => log } });
    const phone = await lab.registered("5001");
    const invite = phone.request("INVITE", "sip:9198@127.0.0.1", [phone.contact], "v=0\r\n");
    await phone.next((seen) => seen.status === 486);
    const random = new CountingRandom("spoil");
    const incoming = (): number => lab.sandbox.trace().length;
    for (let i = 0; i < 2000; i++) {
      const bytes = Buffer.from(invite.replace(/branch=[^;]+/, `branch=z9hG4bKs${i}`));
      for (let n = 0; n < 4; n++)
        bytes[Math.floor(random.fraction() * bytes.length)] = random.bytes(1)[0] ?? 0;
      phone.send(bytes.toString("latin1"));
      if (i % 50 === 0) await until(() => incoming() > 0);
    }
    phone.request("OPTIONS", "sip:127.0.0.1", []);
    await phone.next((seen) => seen.status === 200 && seen.method === "OPTIONS");
    expect(errors).toEqual([]);
    expect(lab.sandbox.malformed).toBeGreaterThan(0);
  });
});

describe("faults of the registrar", () => {
  test("silence, a status with headers, a stolen binding, and back to normal", async () => {
    lab = await Lab.open(clock());
    const { faults } = lab.sandbox;
    const phone = await lab.endpoint("5001");
    faults.register("5001", {
      kind: "status",
      status: 423,
      reason: "Interval Too Brief",
      headers: [["Min-Expires", "600"]],
    });
    const brief = await phone.register();
    expect([brief.status, brief.header("Min-Expires")]).toEqual([423, "600"]);
    faults.register("5001", { kind: "stolen", contact: "sip:5001@192.0.2.99:5060" });
    expect((await phone.register()).header("Contact")).toBe("<sip:5001@192.0.2.99:5060>;expires=300");
    faults.register("5001", { kind: "silence" });
    const answers = phone.count((seen) => seen.method === "REGISTER");
    const unheard = phone.request(
      "REGISTER",
      "sip:127.0.0.1",
      [phone.contact, "Expires: 60"],
      "",
      "x",
      "<sip:5001@127.0.0.1>",
    );
    phone.request("OPTIONS", "sip:127.0.0.1", []);
    await phone.next((seen) => seen.method === "OPTIONS");
    expect(phone.count((seen) => seen.method === "REGISTER")).toBe(answers);
    faults.register("5001", undefined);
    // The repeat of what went unheard, as RFC 3261 has it: the same branch.
    phone.send(unheard);
    await phone.next((seen) => seen.status === 200 && seen.method === "REGISTER");
    expect((await phone.register()).header("Contact")).toContain(`:${phone.port}>`);
  });

  test("silence per method leaves a request without an answer until it is lifted", async () => {
    lab = await Lab.open(clock());
    const phone = await lab.endpoint("5001");
    lab.sandbox.faults.silence("OPTIONS");
    phone.request("OPTIONS", "sip:127.0.0.1", []);
    await phone.register();
    expect(phone.count((seen) => seen.method === "OPTIONS")).toBe(0);
    lab.sandbox.faults.silence();
    phone.request("OPTIONS", "sip:127.0.0.1", []);
    expect((await phone.next((seen) => seen.method === "OPTIONS")).status).toBe(200);
  });

  test("drop loses the same messages for the same seed, and the trace tells which", async () => {
    const losses: string[] = [];
    for (let run = 0; run < 2; run++) {
      const one = await Lab.open(clock());
      const phone = await one.endpoint("5001");
      one.sandbox.faults.drop(0.5, 42);
      for (let i = 0; i < 12; i++) {
        const seen = (): number => one.sandbox.trace().filter((entry) => entry.direction === "in").length;
        phone.request("OPTIONS", "sip:127.0.0.1", []);
        await until(() => seen() > i);
      }
      losses.push(
        one.sandbox
          .trace()
          .map((entry) => `${entry.direction}${entry.lost ? "x" : ""}`)
          .join(" "),
      );
      await one.close();
    }
    lab = await Lab.open(clock());
    expect(losses[0]).toBe(losses[1]);
    expect(losses[0]).toMatch(/in(x| ).*outx/);
  });

  test("delay holds back what is sent", async () => {
    const time = clock();
    lab = await Lab.open(time);
    lab.sandbox.faults.delay(200);
    const phone = await lab.endpoint("5001");
    phone.request("OPTIONS", "sip:127.0.0.1", []);
    await until(() => lab.sandbox.trace().length === 2);
    time.advance(199);
    expect(phone.all).toEqual([]);
    time.advance(1);
    expect((await phone.next((seen) => seen.status > 0)).status).toBe(200);
  });
});

describe("digest", () => {
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const field = (challenge: string, name: string): string =>
    new RegExp(`${name}="?([^",]*)`).exec(challenge)?.[1] ?? "";
  const to = "<sip:5001@127.0.0.1>";

  async function register(
    phone: Endpoint,
    authorization?: string,
  ): Promise<{ status: number; challenge: string }> {
    const lines = [
      phone.contact,
      "Expires: 60",
      ...(authorization ? [`Authorization: ${authorization}`] : []),
    ];
    phone.request("REGISTER", "sip:127.0.0.1", lines, "", "x", to);
    const seen = await phone.next((message) => message.status > 0);
    return { status: seen.status, challenge: seen.header("WWW-Authenticate") };
  }

  function authorize(challenge: string, password: string, nc: string | undefined): string {
    const [realm, nonce] = [field(challenge, "realm"), field(challenge, "nonce")];
    const ha1 = md5(`5001:${realm}:${password}`);
    const ha2 = md5("REGISTER:sip:127.0.0.1");
    const middle = nc === undefined ? nonce : `${nonce}:${nc}:cn:auth`;
    const extra = nc === undefined ? "" : `,qop=auth,nc=${nc},cnonce="cn"`;
    return `Digest username="5001",realm="${realm}",nonce="${nonce}",uri="sip:127.0.0.1",response="${md5(`${ha1}:${middle}:${ha2}`)}"${extra}`;
  }

  test("with qop: right password passes, wrong one and a replayed count do not", async () => {
    lab = await Lab.open(clock(), { digest: { realm: "genesys", password: () => "secret" } });
    const phone = await lab.endpoint("5001");
    const first = await register(phone);
    expect([first.status, field(first.challenge, "realm"), field(first.challenge, "qop")]).toEqual([
      401,
      "genesys",
      "auth",
    ]);
    expect((await register(phone, authorize(first.challenge, "wrong", "00000001"))).status).toBe(401);
    expect((await register(phone, authorize(first.challenge, "secret", "00000001"))).status).toBe(200);
    const replayed = await register(phone, authorize(first.challenge, "secret", "00000001"));
    expect([replayed.status, field(replayed.challenge, "stale")]).toEqual([401, "true"]);
  });

  test("without qop, and stale after as many uses as configured", async () => {
    const digest = { realm: "genesys", password: () => "secret", qop: "none", nonceUses: 1 } as const;
    lab = await Lab.open(clock(), { digest });
    const phone = await lab.endpoint("5001");
    const { challenge } = await register(phone);
    expect(challenge).not.toContain("qop");
    expect((await register(phone, authorize(challenge, "secret", undefined))).status).toBe(200);
    const stale = await register(phone, authorize(challenge, "secret", undefined));
    expect([stale.status, field(stale.challenge, "stale")]).toEqual([401, "true"]);
    expect((await register(phone, authorize(stale.challenge, "secret", undefined))).status).toBe(200);
  });
});
