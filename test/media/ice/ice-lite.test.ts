import { createSecretKey } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { decodeStun, IceLite, localUfragOf, type IceVerdict } from "../../../src/media/ice/index.ts";
import { integrityIsRight, stunAttributes } from "../../../src/media/ice/stun.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { makeCheck } from "../support/stun-client.ts";

const ufrags = new Set<string>();
const table = {
  enter: (ufrag: string): boolean => !ufrags.has(ufrag) && ufrags.add(ufrag) === ufrags,
  leave: (ufrag: string): void => void ufrags.delete(ufrag),
};
let ice: IceLite;

beforeEach(() => {
  ufrags.clear();
  ice = new IceLite(new CountingRandom(), table);
});

function send(packet: Buffer): IceVerdict {
  const message = decodeStun(packet, packet.length);
  if (message === undefined) throw new Error("not STUN");
  return ice.check(packet, message, "192.0.2.7", 40_000);
}

/** Code of an error response, and whether it is signed with `pwd`. */
function errorOf(verdict: IceVerdict, pwd: string): { code: number; signed: boolean; cause: string } {
  if (verdict.kind !== "refused" || verdict.response === undefined) throw new Error("no error response");
  const { response, cause } = verdict;
  const at = response.indexOf(Buffer.from([0x00, stunAttributes.errorCode]), 20);
  const message = decodeStun(response, response.length);
  if (message?.class !== "error") throw new Error("not an error");
  return {
    code: response.readUInt8(at + 6) * 100 + response.readUInt8(at + 7),
    signed: integrityIsRight(response, message, createSecretKey(Buffer.from(pwd))),
    cause,
  };
}

describe("IceLite", () => {
  it("makes credentials of ice-chars, long enough and different each time", () => {
    const other = new IceLite(new CountingRandom("other"), table);
    for (const { iceUfrag, icePwd } of [ice.local, other.local]) {
      expect(iceUfrag).toMatch(/^[A-Za-z0-9+/]{8}$/);
      expect(icePwd).toMatch(/^[A-Za-z0-9+/]{24}$/);
    }
    expect(ice.local.iceUfrag).not.toBe(other.local.iceUfrag);
  });

  it("takes another fragment when one is in use", () => {
    const same = new IceLite(new CountingRandom(), table);
    expect(same.local.iceUfrag).not.toBe(ice.local.iceUfrag);
    expect(ufrags.size).toBe(2);
  });

  it("answers a valid check with its source address, signed", () => {
    const { iceUfrag, icePwd } = ice.local;
    const check = makeCheck({ ufrag: iceUfrag, pwd: icePwd });
    const verdict = send(check);
    if (verdict.kind !== "valid") throw new Error(verdict.kind);
    expect(verdict.useCandidate).toBe(false);
    const response = decodeStun(verdict.response, verdict.response.length);
    expect(response?.class).toBe("success");
    expect(response?.transactionId).toEqual(check.subarray(8, 20));
    expect(
      response && integrityIsRight(verdict.response, response, createSecretKey(Buffer.from(icePwd))),
    ).toBe(true);
    // 192.0.2.7:40000 XOR the cookie
    expect(verdict.response.subarray(20, 32)).toEqual(Buffer.from("002000080001bd52e112a645", "hex"));
    expect(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, useCandidate: true }))).toMatchObject({
      kind: "valid",
      useCandidate: true,
    });
  });

  it("refuses a check without integrity with 400", () => {
    const verdict = send(makeCheck({ ufrag: ice.local.iceUfrag, useCandidate: true }));
    expect(errorOf(verdict, ice.local.icePwd)).toEqual({
      code: 400,
      signed: false,
      cause: "stunNoIntegrity",
    });
  });

  it("refuses a check with a wrong password with 401", () => {
    const verdict = send(makeCheck({ ufrag: ice.local.iceUfrag, pwd: "x".repeat(24), useCandidate: true }));
    expect(errorOf(verdict, ice.local.icePwd)).toEqual({ code: 401, signed: false, cause: "stunIntegrity" });
  });

  it("refuses another username with 401, also of the browser's half once that is known", () => {
    const { iceUfrag, icePwd } = ice.local;
    expect(errorOf(send(makeCheck({ ufrag: "nobody", pwd: icePwd })), icePwd)).toMatchObject({
      code: 401,
      cause: "stunUsername",
    });
    expect(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, remote: "early" })).kind).toBe("valid");
    ice.setRemote("brow", "");
    expect(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, remote: "early" })).kind).toBe("refused");
    expect(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, remote: "brow" })).kind).toBe("valid");
  });

  it("names unknown attributes in a signed 420", () => {
    const { iceUfrag, icePwd } = ice.local;
    const verdict = send(
      makeCheck({ ufrag: iceUfrag, pwd: icePwd, extra: [{ type: 0x7abc, value: Buffer.alloc(4) }] }),
    );
    expect(errorOf(verdict, icePwd)).toEqual({ code: 420, signed: true, cause: "stunUnknownAttribute" });
    expect(verdict.kind === "refused" && verdict.response?.includes(Buffer.from("000a00027abc", "hex"))).toBe(
      true,
    );
  });

  it("answers a peer that takes itself for controlled with a signed 487", () => {
    const { iceUfrag, icePwd } = ice.local;
    const extra = [{ type: stunAttributes.iceControlled, value: Buffer.alloc(8) }];
    expect(errorOf(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, extra })), icePwd)).toEqual({
      code: 487,
      signed: true,
      cause: "stunRoleConflict",
    });
  });

  it("lets indications pass and refuses responses and other methods without an answer", () => {
    const { iceUfrag, icePwd } = ice.local;
    expect(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, type: 0x0011 })).kind).toBe("indication");
    for (const type of [0x0101, 0x0111, 0x0003])
      expect(send(makeCheck({ ufrag: iceUfrag, pwd: icePwd, type }))).toEqual({
        kind: "refused",
        cause: "stunUnexpected",
        response: undefined,
      });
  });

  it("keeps old credentials after a restart until the first check with the new", () => {
    const old = ice.local;
    ice.setRemote("brow", "");
    const fresh = ice.restart();
    expect(fresh.iceUfrag).not.toBe(old.iceUfrag);
    expect(ice.local).toEqual(fresh);
    ice.setRemote("new1", "");
    expect(send(makeCheck({ ufrag: old.iceUfrag, pwd: old.icePwd, remote: "brow" })).kind).toBe("valid");
    expect(send(makeCheck({ ufrag: fresh.iceUfrag, pwd: old.icePwd, remote: "new1" })).kind).toBe("refused");
    expect(send(makeCheck({ ufrag: old.iceUfrag, pwd: old.icePwd, remote: "brow" })).kind).toBe("valid");
    expect(send(makeCheck({ ufrag: fresh.iceUfrag, pwd: fresh.icePwd, remote: "new1" })).kind).toBe("valid");
    expect(send(makeCheck({ ufrag: old.iceUfrag, pwd: old.icePwd, remote: "brow" })).kind).toBe("refused");
    expect(ufrags).toEqual(new Set([fresh.iceUfrag]));
  });

  it("holds at most two generations and gives all fragments back on close", () => {
    const first = ice.local;
    ice.restart();
    ice.restart();
    ice.restart();
    expect(ufrags.size).toBe(2);
    expect(send(makeCheck({ ufrag: first.iceUfrag, pwd: first.icePwd })).kind).toBe("valid");
    ice.close();
    ice.close();
    expect(ufrags.size).toBe(0);
    expect(send(makeCheck({ ufrag: first.iceUfrag, pwd: first.icePwd })).kind).toBe("refused");
  });

  it("finds our half of a username", () => {
    const half = (ufrag: string): string | undefined => {
      const packet = makeCheck({ ufrag });
      const message = decodeStun(packet, packet.length);
      return message && localUfragOf(message);
    };
    expect(half("abcd")).toBe("abcd");
    expect(half("")).toBeUndefined();
  });
});
