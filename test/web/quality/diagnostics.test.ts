import { describe, expect, it } from "vitest";
import { connectionWords } from "../../../web/src/softphone/quality/connection.ts";
import {
  diagnosticsText,
  withoutSecrets,
  type DiagnosticsParts,
} from "../../../web/src/softphone/quality/diagnostics.ts";
import { Journal } from "../../../web/src/softphone/quality/journal.ts";

const start = Date.UTC(2026, 10, 21, 18);

function parts(change: Partial<DiagnosticsParts> = {}): DiagnosticsParts {
  return {
    now: start,
    page: "https://gateway.example/?token=url-secret&dn=5001#x",
    scripts: ["softphone-Ab12.js"],
    gateway: "Jackfield/0.1.0",
    userAgent: "Chromium 1",
    dn: "5001",
    connection: connectionWords({
      dn: "5001",
      socket: "connected",
      registration: "registered",
      trunk: { state: "in-service", reason: "" },
      path: "none",
      route: undefined,
      inCall: false,
      retryS: undefined,
    }),
    journal: new Journal(() => start),
    devices: ["audioinput: Headset", "audiooutput: Headset"],
    microphone: { label: "Headset", echoCancellation: true },
    settings: { domain: "gateway.example" },
    stats: [],
    ...change,
  };
}

describe("the diagnostics", () => {
  it("have page, gateway, browser, number, connection, devices and settings", () => {
    const text = diagnosticsText(parts());
    for (const said of [
      "diagnostics of 2026-11-21T18:00:00.000Z",
      "Page: https://gateway.example/ (softphone-Ab12.js)",
      "Gateway: Jackfield/0.1.0",
      "Browser: Chromium 1",
      "DN: 5001",
      "Ready for calls.",
      "  Number at SIP Server: in service",
      "  audioinput: Headset",
      '"echoCancellation":true',
      "  domain: gateway.example",
    ])
      expect(text).toContain(said);
  });

  it("have the last calls with Call-ID, CallUUID, quality and how they ended, states with times, and errors", () => {
    let now = start;
    const journal = new Journal(() => now);
    journal.state("connection", "connected");
    journal.state("connection", "connected");
    journal.call("id-1", { direction: "in", peer: "5002", callUuid: "UUID1" });
    journal.quality("id-1", "fromBrowser 4.3 / 0.0 / 2 / 12");
    now += 5000;
    journal.state("connection", "lost");
    journal.call("id-1", { answeredAt: start + 1000, endedAt: now, end: "ended by the far side" });
    journal.call("id-2", { direction: "out", peer: "5003" });
    journal.error("Busy. (486 Busy Here)");
    const text = diagnosticsText(parts({ journal }));
    expect(text).toContain("to 5003: began 2026-11-21T18:00:05.000Z, not answered; still runs");
    expect(text).toContain(
      "from 5002: began 2026-11-21T18:00:00.000Z, answered 2026-11-21T18:00:01.000Z, over 2026-11-21T18:00:05.000Z; ended by the far side\n    Call-ID id-1, CallUUID UUID1\n",
    );
    expect(text).toContain("fromBrowser 4.3 / 0.0 / 2 / 12");
    expect(text).toContain(
      "2026-11-21T18:00:05.000Z connection: lost\n  2026-11-21T18:00:00.000Z connection: connected\n",
    );
    expect(text.match(/connection: connected/g)).toHaveLength(1);
    expect(text).toContain("2026-11-21T18:00:05.000Z Busy. (486 Busy Here)");
  });

  it("have the pair, the codec and DTLS of the browser's own figures, and nothing else of them", () => {
    const stats = [
      { type: "transport", id: "T", dtlsState: "connected", selectedCandidatePairId: "P", dtlsCipher: "AES" },
      { type: "candidate-pair", id: "P", state: "succeeded", localCandidateId: "L", remoteCandidateId: "R" },
      {
        type: "local-candidate",
        id: "L",
        candidateType: "host",
        address: "192.0.2.7",
        usernameFragment: "frag",
      },
      { type: "remote-candidate", id: "R", candidateType: "prflx", port: 40_000 },
      { type: "codec", id: "C", mimeType: "audio/opus", sdpFmtpLine: "useinbandfec=1" },
      { type: "certificate", id: "X", base64Certificate: "MIIB" },
    ];
    const text = diagnosticsText(parts({ stats }));
    for (const said of [
      "candidate-pair: state succeeded",
      "local-candidate: candidateType host, address 192.0.2.7",
      "remote-candidate: candidateType prflx, port 40000",
      "codec: mimeType audio/opus, sdpFmtpLine useinbandfec=1",
      "dtlsState connected",
    ])
      expect(text).toContain(said);
    expect(text).not.toContain("MIIB");
    expect(text).not.toContain("frag");
  });

  it("have no secret, wherever it got in, and no line that a far side wrote", () => {
    const journal = new Journal(() => start);
    journal.error('failed: {"password":"hunter2", "sign_in_token": "tok-1"} ha1=abcdef0123');
    journal.call("id", { peer: "evil\nDN: 6666" });
    const settings = {
      x: "X-Jackfield-Resume: resume-1",
      "jackfield.gws": "api-key=key-1;authorization: Bearer",
    };
    const text = diagnosticsText(parts({ journal, settings }));
    for (const secret of ["hunter2", "tok-1", "abcdef0123", "resume-1", "key-1", "url-secret"])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/^DN: 6666/m);
    expect(withoutSecrets("password is wrong")).toBe("password is wrong");
  });

  it("have nothing of a secret of several words, nor of a header that holds one", () => {
    const digest = 'Digest username="5001", response="0123abcd"';
    for (const text of [
      '{"password":"correct horse","x":1}',
      '{"password": "correct \\"horse" }',
      "Authorization: Basic horse==",
      `{"authorization":"${digest.replace("0123abcd", "horse")}"}`,
      "Cookie: a=1; jackfield-admin=horse",
      "sent Bearer horse.horse to GWS",
    ])
      expect(withoutSecrets(text)).not.toContain("horse");
  });

  it("stay small however much happened", () => {
    const journal = new Journal(() => start);
    for (let turn = 0; turn < 5000; turn++) {
      journal.state("connection", `state ${turn}`);
      journal.error(`${turn} ${"x".repeat(2000)}`);
      journal.call(`id-${turn}`, { peer: "y".repeat(5000) });
      for (let line = 0; line < 3; line++) journal.quality(`id-${turn}`, "z".repeat(100));
    }
    for (let line = 0; line < 500; line++) journal.quality("id-4999", String(line));
    expect([journal.changes.length, journal.errors.length, journal.calls.length]).toEqual([100, 30, 10]);
    expect(journal.calls.at(-1)?.quality.at(-1)).toBe("499");
    const text = diagnosticsText(parts({ journal, settings: { big: "w".repeat(1_000_000) } }));
    expect(text.length).toBeLessThan(40_100);
    expect(text).toContain("id-4999");
  });
});
