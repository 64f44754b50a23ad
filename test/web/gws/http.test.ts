import { describe, expect, it } from "vitest";
import { GwsError, GwsHttp, readAnswer, type GwsErrorKind } from "../../../web/src/softphone/gws/http.ts";
import { gwsProblem } from "../../../web/src/softphone/gws/words.ts";
import { settingsOf } from "./support/bench.ts";

function problem(status: number, answer: string): GwsError {
  try {
    readAnswer(status, answer);
  } catch (error) {
    if (error instanceof GwsError) return error;
  }
  throw new Error("no problem");
}

describe("an answer", () => {
  it("is good with 2xx and statusCode 0 or none", () => {
    expect(readAnswer(200, '{"statusCode":0,"user":1}')).toEqual({ statusCode: 0, user: 1 });
    expect(readAnswer(200, "{}")).toEqual({});
    expect(readAnswer(204, "")).toBeUndefined();
  });

  it.each<[number, string, GwsErrorKind, string]>([
    [401, "", "denied", "user name and password"],
    [403, '{"statusCode":20,"statusMessage":"Access denied"}', "denied", "user name and password"],
    [403, '{"statusMessage":"Missing or invalid Csrf token"}', "csrf", "CSRF"],
    [500, "<html>oops</html>", "refused", "error of its own (500)"],
    [503, '{"statusMessage":"down"}', "refused", "503: down"],
    [404, "", "refused", "status 404"],
    [200, '{"statusCode":2,"statusMessage":"Invalid number"}', "refused", "Invalid number"],
    [200, "<html>login</html>", "malformed", "cannot read"],
    [200, '{"statusCode":', "malformed", "cannot read"],
  ])("%d %s is told in words", (status, answer, kind, words) => {
    const error = problem(status, answer);
    expect(error.kind).toBe(kind);
    expect(gwsProblem(error)).toContain(words);
  });

  it("that is partly done has the reasons of what failed, and what succeeded", () => {
    const failed = [{ channel: "voice", statusCode: 4, statusMessage: "Device '5001' is not registered." }];
    const error = problem(
      200,
      JSON.stringify({ statusCode: 7, failed, succeeded: ["chat", { channel: "email" }] }),
    );
    expect(error).toMatchObject({
      code: 7,
      detail: "Device '5001' is not registered.",
      succeeded: ["chat", "email"],
    });
  });
});

describe("requests", () => {
  type Seen = { url: string; init: RequestInit };
  function bench(answer: (seen: Seen, count: number) => Response | Error): { http: GwsHttp; seen: Seen[] } {
    const seen: Seen[] = [];
    const http = new GwsHttp(settingsOf(), async (url, init) => {
      seen.push({ url, init });
      const given = answer({ url, init }, seen.length);
      if (given instanceof Error) throw given;
      return given;
    });
    return { http, seen };
  }
  const headerOf = (seen: Seen | undefined, name: string): string | null =>
    new Headers(seen?.init.headers).get(name);
  const good = (headers: Record<string, string> = {}): Response => new Response("{}", { headers });

  it("send name and password once, as Basic in UTF-8, and the cookie ever after", async () => {
    const { http, seen } = bench(() => good());
    await http.get("me", { user: "jörg", password: "ä:€" });
    await http.get("me");
    const basic = headerOf(seen[0], "authorization") ?? "";
    expect(Buffer.from(basic.replace("Basic ", ""), "base64").toString()).toBe("jörg:ä:€");
    expect(headerOf(seen[1], "authorization")).toBeNull();
    expect(seen.map(({ init }) => init.credentials)).toEqual(["include", "include"]);
    expect(seen[0]?.url).toBe("https://gws.test/api/v2/me");
  });

  it("carry the CSRF token under the name GWS gives, once there is one", async () => {
    const { http, seen } = bench(({ init }) =>
      init.method === "GET" ? good({ "X-CSRF-HEADER": "X-OTHER", "X-CSRF-TOKEN": "t1" }) : good(),
    );
    await http.post("me", {});
    await http.get("me");
    await http.post("me", {});
    expect(headerOf(seen[0], "x-other")).toBeNull();
    expect(headerOf(seen[2], "x-other")).toBe("t1");
    expect(http.csrfHeaders).toEqual({ "X-OTHER": "t1" });
  });

  it("fetch a token anew when the old one is refused, once", async () => {
    let valid = "t2";
    const refused = (): Response =>
      new Response('{"statusMessage":"Missing or invalid Csrf token"}', { status: 403 });
    const { http, seen } = bench((one) => {
      if (one.init.method === "GET") return good({ "X-CSRF-HEADER": "X-CSRF-TOKEN", "X-CSRF-TOKEN": valid });
      return headerOf(one, "x-csrf-token") === "t2" ? good() : refused();
    });
    await http.post("me", {});
    expect(seen.map(({ init }) => init.method)).toEqual(["POST", "GET", "POST"]);
    valid = "wrong";
    http.csrfHeaders["X-CSRF-TOKEN"] = "old";
    await expect(http.post("me", {})).rejects.toMatchObject({ kind: "csrf" });
    expect(seen).toHaveLength(6);
  });

  it("at the page's end are not tried again, and no header's name is taken that is none", async () => {
    const { http, seen } = bench(() => {
      const headers = { "X-CSRF-HEADER": "X-A: 1, X-B", "X-CSRF-TOKEN": "t1" };
      return new Response('{"statusMessage":"Missing or invalid Csrf token"}', { status: 403, headers });
    });
    await expect(http.post("me", {}, true)).rejects.toMatchObject({ kind: "csrf" });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.init.keepalive).toBe(true);
    expect(http.csrfHeaders).toEqual({});
  });

  it("tell a network that fails from a GWS that is silent", async () => {
    const failing = bench(() => new TypeError("Failed to fetch")).http;
    await expect(failing.get("me")).rejects.toMatchObject({ kind: "unreachable" });
    const silent = bench(() => new DOMException("late", "TimeoutError")).http;
    await expect(silent.get("me")).rejects.toMatchObject({ kind: "silent" });
    // It may well have done what was asked.
    const cut = new Response(
      new ReadableStream({ pull: (body) => body.error(new TypeError("network error")) }),
    );
    const half = new GwsHttp(settingsOf(), async () => cut);
    await expect(half.get("me")).rejects.toMatchObject({ kind: "silent" });
  });
});
