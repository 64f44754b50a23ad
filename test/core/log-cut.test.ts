import { describe, expect, it } from "vitest";
import { createLogger, type Logger } from "../../src/core/index.ts";
import { cutDetails } from "../../src/core/log-cut.ts";

const secret = "hUnter2-S3cret.Value";

function written(log: (logger: Logger) => void): { line: string; value: Record<string, unknown> } {
  const lines: string[] = [];
  log(createLogger("debug", { write: (line) => void lines.push(line) }));
  const line = lines.join("");
  return { line, value: JSON.parse(line) };
}

const withProperties = Object.assign(new Error("refused"), {
  config: { headers: { authorization: secret } },
  code: "E1",
});

describe("a log line", () => {
  it.each<[string, object]>([
    ["by its key", { password: secret }],
    ["by the end of its key", { trunkPassword: secret, access_token: secret, "Proxy-Authorization": secret }],
    ["deep down", { a: { b: { c: { d: { e: { icePwd: secret } } } } } }],
    ["in lists", { accounts: [{ dn: "5001", password: secret }, { list: [{ ha1: secret }] }] }],
    ["that is no text", { secret: { of: secret }, sendKey: Buffer.from(secret), token: [secret] }],
    ["in bytes", { datagram: Buffer.from(secret), view: new Uint8Array(Buffer.from(secret)) }],
    [
      "in a SIP message",
      {
        wire: `REGISTER sip:x SIP/2.0\r\nAuthorization: Digest username="5001", response="${secret}"\r\nTo: x`,
      },
    ],
    [
      "in a folded header",
      { wire: `Proxy-Authorization:Digest realm="x",cnonce="${secret}",response="${secret}"` },
    ],
    ["in a header's value alone", { value: `Digest username="5001", response="${secret}"` }],
    ["in digest parameters", { parameters: `username="5001", response="${secret}"` }],
    ["behind Bearer", { header: `bearer ${secret}`, other: `Authorization: Bearer ${secret}` }],
    ["behind Basic", { header: `Basic ${secret}` }],
    ["in a cookie", { header: `Cookie: session=${secret}; a=${secret}`, more: `set-cookie: x=${secret}` }],
    [
      "in a query",
      { url: `/ws?dn=5001&password=${secret}&x=1`, more: `wss://h/?access_token=${secret}#token=${secret}` },
    ],
    ["in a URL object", { url: new URL(`https://anna:${secret}@example.com/?token=${secret}`) }],
    ["in a SIP URI", { contact: `<sip:5001:${secret}@example.com>` }],
    ["in Refer-To", { referTo: `<sip:5002@h?X-Jackfield-Resume=${secret}>` }],
    [
      "in SDP",
      {
        sdp: `v=0\r\na=ice-pwd:${secret}\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${secret}|2^20|1:4\r\nk=base64:${secret}`,
      },
    ],
    [
      "in JSON within a text",
      {
        body: JSON.stringify({ dn: "5001", password: secret }),
        twice: JSON.stringify(JSON.stringify({ token: secret })),
      },
    ],
    ["in YAML", { text: `trunkPassword: ${secret}\nsecret: '${secret}'` }],
    [
      "in a JSON Web Token",
      { jwt: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.${secret.replaceAll(/[^\w]/g, "")}` },
    ],
    [
      "in a key file",
      { pem: `-----BEGIN EC PRIVATE KEY-----\n${secret.replaceAll("-", "")}\n-----END EC PRIVATE KEY-----` },
    ],
    ["in an error", { err: new Error(`cannot sign in with password=${secret}`) }],
    ["in an error's cause", { err: new Error("no", { cause: new Error(`GET https://u:${secret}@host/`) }) }],
    ["in an error's properties", { err: withProperties, other: { err: withProperties } }],
    ["in several errors", { err: new AggregateError([new Error(`token: ${secret}`)], "all failed") }],
  ])("has no secret %s", (_where, details) => {
    const bare = new RegExp(`${secret}|hUnter2|S3cret`);
    const { line } = written((log) => log.warn(details, "told"));
    expect(line).not.toMatch(bare);
    expect(line).toMatch(/\[cut\]|bytes/);
    expect(written((log) => log.child(details).info({}, "told")).line).not.toMatch(bare);
    expect(written((log) => log.child({ a: [details] }).error({}, "told")).line).not.toMatch(bare);
  });

  it("has no secret in its words", () => {
    expect(written((log) => log.error({}, `cannot start: password=${secret}`)).value["msg"]).toBe(
      "cannot start: password=[cut]",
    );
  });

  it("keeps what is none", () => {
    const details = {
      key: "agents.accounts[0].password",
      passwordFile: "/run/secrets/x",
      tokens: 5,
      token: false,
      secret: null,
      contact: "<sip:5001@192.0.2.1:5060;transport=udp>",
      digest: "sha256",
      text: 'SIP Server: BYE (SIP;cause=403;text="Forbidden")',
      list: [1, null, "a", { b: 2n }],
      at: new Date(0),
    };
    const { value } = written((log) =>
      log.child({ room: "sip", call: "c" }).info(details, "wrong name or password"),
    );
    expect(value).toMatchObject({
      ...details,
      list: [1, null, "a", { b: "2" }],
      at: "1970-01-01T00:00:00.000Z",
      room: "sip",
      call: "c",
      msg: "wrong name or password",
    });
  });

  it("tells an error with its kind, code, stack and cause", () => {
    const err = Object.assign(new TypeError("bad", { cause: "why" }), { code: "EX" });
    const { err: told } = written((log) => log.error({ err }, "x")).value;
    expect(told).toMatchObject({ type: "TypeError", message: "bad", code: "EX", cause: "why" });
    expect(told).toHaveProperty("stack", expect.stringContaining("log-cut.test.ts"));
  });

  it("is one line of bounded length that never throws, whatever is in it", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = [circle];
    const endless = (depth: number): object => (depth === 0 ? {} : { inner: endless(depth - 1) });
    const hostile = {
      text: "x".repeat(5_000_000),
      newline: 'a\r\n{"level":30,"msg":"forged"}\u2028',
      circle,
      endless: endless(5000),
      many: Array.from({ length: 50_000 }, (_, index) => ({ index })),
      lone: "\ud800",
      nothing: undefined,
      act: () => undefined,
    };
    const { line, value } = written((log) => log.info(hostile, "a\nb"));
    expect(line.trimEnd().split("\n")).toHaveLength(1);
    expect(line.length).toBeLessThan(100_000);
    expect(value["msg"]).toBe("a\nb");
    const throwing = {
      get trap(): string {
        throw new Error("trap");
      },
    };
    expect(written((log) => log.info({ inner: throwing }, "kept")).value["msg"]).toBe("kept");
  });

  it("is made in little time, however a text was built to slow the search for secrets", () => {
    const slow = [
      "password\\\\",
      "authorization ",
      "digest ",
      "sip:a",
      "eyJaaaaaaaa",
      "inline:",
      "basic ",
      "-----BEGIN A",
    ];
    const began = process.cpuUsage().user;
    written((log) => log.info(Object.fromEntries(slow.map((word) => [word, word.repeat(100_000)])), "x"));
    expect((process.cpuUsage().user - began) / 1000).toBeLessThan(500);
  });

  it("is made in little time of what begins like a token again and again", () => {
    const began = process.cpuUsage().user;
    written((log) => log.info({ texts: Array.from({ length: 20 }, () => "-eyJ".repeat(100_000)) }, "x"));
    expect((process.cpuUsage().user - began) / 1000).toBeLessThan(500);
  });

  it("holds no token that was cut off before its first dot, and no key of a k= line", () => {
    const { line } = written((log) =>
      log.info(
        { one: "eyJhbGciOiJIUzI1NiJ9", two: "v=0\r\nk=clear:whisper", three: "a eyJhbGciOiJI.eyJzdWIi.sig" },
        "x",
      ),
    );
    expect(line).not.toMatch(/eyJ|whisper|sig/);
  });
});

it("shows what stands in a line twice both times, and ends a circle", () => {
  const shared = { dn: "5001" };
  const round: Record<string, unknown> = { name: "round" };
  round["self"] = round;
  expect(cutDetails({ one: shared, other: shared, list: [shared, shared], round })).toEqual({
    one: shared,
    other: shared,
    list: [shared, shared],
    round: { name: "round", self: "[circle]" },
  });
});
