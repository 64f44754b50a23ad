import { expect, it } from "vitest";
import { takeSignInFrom } from "../../web/src/softphone/phone/sign-in-address.ts";

function take(hash: string) {
  const shown: unknown[] = [];
  const replaceState = (_data: unknown, _title: string, url: string): void => void shown.push(url);
  const asked = takeSignInFrom({ hash, pathname: "/phone/", search: "?a=1" }, { replaceState });
  return { asked, shown };
}

it("takes number, token and password out of the address and leaves the rest", () => {
  expect(take("#token=abc-_1&mode=audio")).toEqual({
    asked: { dn: "", token: "abc-_1", password: "" },
    shown: ["/phone/?a=1#mode=audio"],
  });
  expect(take("#dn=%2B4930&password=a%26b")).toEqual({
    asked: { dn: "+4930", token: "", password: "a&b" },
    shown: ["/phone/?a=1"],
  });
});

it("leaves other addresses alone", () => {
  for (const hash of ["", "#", "#dial=tel:+4930&x=%zz", "#mode=audio", "#dndn=1"])
    expect(take(hash)).toEqual({ asked: { dn: "", token: "", password: "" }, shown: [] });
});

it("takes an empty or doubled token away too", () => {
  expect(take("#token=&token=b").shown).toEqual(["/phone/?a=1"]);
  expect(take("#token").shown).toEqual(["/phone/?a=1"]);
});

it("takes them away however their names are written", () => {
  expect(take("#%74oken=abc&mode=audio")).toEqual({
    asked: { dn: "", token: "abc", password: "" },
    shown: ["/phone/?a=1#mode=audio"],
  });
  expect(take("#d%6E=5001&pass%77ord=b").shown).toEqual(["/phone/?a=1"]);
});
