import { describe, expect, it } from "vitest";
import { adminIsOn } from "../../src/config/index.ts";
import { configOf, faultsOf, minimal, told, warned } from "./support.ts";

const withUsers = (...users: string[]): string => `${minimal}\nadmin: { users: [${users.join(", ")}] }\n`;
const hash = `$scrypt$ln=14,r=8,p=5$${"a".repeat(22)}$${"b".repeat(43)}`;

describe("the users of the dashboard", () => {
  it("have role read unless told, and a hash, a password or a file with one", () => {
    const yaml = withUsers(
      `{ name: anna, role: operate, passwordHash: "${hash}" }`,
      "{ name: bernd, password: correct horse battery }",
      "{ name: c@example.com, passwordFile: c.txt }",
    );
    const { admin } = configOf(yaml, { files: { "c.txt": "wrong mule stapler\n" } });
    expect(admin.users).toEqual([
      { name: "anna", role: "operate", passwordHash: hash },
      { name: "bernd", role: "read", password: "correct horse battery" },
      { name: "c@example.com", role: "read", password: "wrong mule stapler" },
    ]);
    expect(admin.sessions).toEqual({ idleMinutes: 60, hours: 12 });
  });

  it("switch the dashboard on, as the token does", () => {
    expect(adminIsOn(configOf(minimal))).toBe(false);
    expect(adminIsOn(configOf(withUsers(`{ name: anna, passwordHash: "${hash}" }`)))).toBe(true);
    expect(adminIsOn(configOf(`${minimal}\nadmin: { token: 0123456789abcdef }`))).toBe(true);
  });

  it.each([
    ["{ name: token, password: correct horse battery }", "name"],
    ["{ name: Token, password: correct horse battery }", "name"],
    ["{ name: a b, password: correct horse battery }", "name"],
    ["{ name: anna, password: short }", "password"],
    ["{ name: anna, passwordHash: 5f4dcc3b5aa765d61d8327deb882cf99 }", "passwordHash"],
    [`{ name: anna, passwordHash: "${hash.replace("ln=14", "ln=30")}" }`, "passwordHash"],
    ["{ name: anna, password: correct horse battery, role: root }", "role"],
  ])("are refused as %s, naming %s", (user, named) => {
    const faults = faultsOf(withUsers(user));
    expect(faults.map(({ key }) => key)).toEqual([`admin.users[0].${named}`]);
    expect(JSON.stringify(faults)).not.toMatch(/short|5f4d|ln=30.*bbb/);
  });

  it("have one secret each, and one name each", () => {
    expect(told(withUsers("{ name: anna }")).join()).toContain("has no password for anna");
    const two = `{ name: anna, password: correct horse battery, passwordHash: "${hash}" }`;
    expect(told(withUsers(two)).join()).toContain("more than one password for anna");
    const anna = "{ name: anna, password: correct horse battery }";
    expect(told(withUsers(anna, anna))).toEqual(["admin.users[1].name stands there twice"]);
    const files = { "short.txt": "short\n" };
    const short = told(withUsers("{ name: anna, passwordFile: short.txt }"), { files });
    expect(short.join()).toContain("passwordFile holds no password");
  });

  it.each([
    ["elevenchars", "fewer than 12"],
    ["annaannaanna-x", "contains the name"],
    ["xxxxxxxxxxxxyy", "hardly any different"],
    ["Password2026!!", "everybody tries first"],
  ])("with the password %s are warned of: %s", (password, reason) => {
    expect(warned(withUsers(`{ name: anna, password: "${password}" }`)).join()).toContain(reason);
  });

  it("with good passwords and tokens are not warned of, and tokens of words are", () => {
    expect(warned(withUsers("{ name: anna, password: correct horse battery }"))).toEqual([]);
    const token = (text: string): string[] => warned(`${minimal}\nadmin: { token: ${text} }`);
    expect(token("9f86d081884c7d659a2feaa0c55ad015")).toEqual([]);
    for (const weak of ["our-company-gateway", "aaaaaaaaaaaaaaaa", "jackfield-2026-11"])
      expect([weak, token(weak).join()]).toEqual([weak, expect.stringContaining("could be guessed")]);
  });
});
