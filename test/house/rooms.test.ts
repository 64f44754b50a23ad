import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, root } from "./support/files.ts";
import { circles, importsOf, importsOfFile, packageOf, target } from "./support/imports.ts";
import {
  fault,
  MAY_IMPORT,
  PACKAGE_PLACES,
  roomOf,
  WEB_MAY_IMPORT,
  webFault,
  webFolderOf,
} from "./support/rooms.ts";

const sources = filesUnder("src", ".ts");
const pages = [...filesUnder("web", ".ts"), ...filesUnder("web", ".tsx")];
const imports = new Map([...sources, ...pages].map((file) => [file, importsOfFile(file)]));

describe("the checker itself", () => {
  it("sees imports of values, of types, re-exports, import(), type queries and worker addresses", () => {
    const text = `import type { A } from "./a.ts"; import "./b.ts"; export * from "./c.ts";
      export { type D } from "./d.ts"; const e = await import("./e.ts"); type F = import("./f.ts").F;
      new Worker(new URL("./g.ts", import.meta.url)); // import "./no.ts"
      const no = 'import "./no.ts"';`;
    const seen = importsOf("test.ts", text).map((one) => `${one.kind} ${one.specifier}`);
    expect(seen.sort()).toEqual([
      "dynamic ./e.ts",
      "static ./a.ts",
      "static ./b.ts",
      "static ./c.ts",
      "static ./d.ts",
      "static ./f.ts",
      "url ./g.ts",
    ]);
  });

  it("refuses a room that the table does not allow, a way past the door, and a static import of the sandbox", () => {
    const check = (
      file: string,
      specifier: string,
      kind: "static" | "dynamic" = "static",
    ): string | undefined => fault(file, { specifier, kind });
    expect(check("src/sip/index.ts", "../core/index.ts")).toBeUndefined();
    expect(check("src/sip/message/a.ts", "../../core/index.ts")).toBeUndefined();
    expect(check("src/sip/message/a.ts", "../digest/b.ts")).toBeUndefined();
    expect(check("src/cli/commands/demo.ts", "../../sandbox/index.ts", "dynamic")).toBeUndefined();
    expect(check("src/sip/index.ts", "../registrar/index.ts")).toContain("sip may not import registrar");
    expect(check("src/ws/index.ts", "../sip/message/types.ts")).toContain("past the door");
    expect(check("src/cli/commands/demo.ts", "../../sandbox/index.ts")).toContain(
      "only ever loaded by import()",
    );
    expect(check("src/new/index.ts", "../core/index.ts")).toContain("not in the table");
    expect(check("src/core/index.ts", "../../test/support/fake-clock.ts")).toContain("leaves src");
  });

  it("refuses a folder of a page that the table does not allow, a folder not in it, and the gateway's own code", () => {
    const check = (file: string, specifier: string): string | undefined =>
      webFault(file, { specifier, kind: "static" });
    expect(check("web/src/softphone/main.tsx", "./phone/phone.ts")).toBeUndefined();
    expect(check("web/src/softphone/gws/hook.ts", "../softphone.ts")).toBeUndefined();
    expect(check("web/src/dashboard/views/app.tsx", "../parts/list.tsx")).toBeUndefined();
    expect(check("web/src/dashboard/main.tsx", "../softphone/phone/words.ts")).toContain(
      "dashboard may not import softphone/phone",
    );
    expect(check("web/sdk/jackfield-phone.ts", "../src/shared/json.ts")).toContain(
      "sdk may not import shared",
    );
    expect(check("web/src/softphone/new/a.ts", "../softphone.ts")).toContain("not in the table");
    expect(check("web/src/dashboard/main.tsx", "../../../src/admin/index.ts")).toContain("leaves the pages");
  });

  it("finds import circles of any length", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", ["a"]],
      ["d", ["d"]],
    ]);
    expect(circles(graph)).toEqual([["a", "b", "c"], ["d"]]);
  });
});

describe("rooms", () => {
  it("are all in the table", () => {
    const rooms = new Set(sources.map(roomOf));
    expect([...rooms].filter((room) => room === undefined || !(room in MAY_IMPORT))).toEqual([]);
  });

  it("import each other only as the table allows and only through the door", () => {
    const faults = sources.flatMap((file) => (imports.get(file) ?? []).map((one) => fault(file, one)));
    expect(faults.filter((one) => one !== undefined)).toEqual([]);
  });

  it("of the pages import each other only as their table allows", () => {
    const faults = pages.flatMap((file) => (imports.get(file) ?? []).map((one) => webFault(file, one)));
    expect(faults.filter((one) => one !== undefined)).toEqual([]);
    const folders = new Set(pages.map(webFolderOf));
    expect(Object.keys(WEB_MAY_IMPORT).filter((one) => !folders.has(one))).toEqual([]);
  });

  it("name files that exist", () => {
    const known = new Set([...sources, ...pages]);
    const lost = [...imports].flatMap(([file, list]) =>
      list
        .map((one) => target(file, one.specifier))
        .filter((to) => to !== undefined && /\.tsx?$/.test(to) && !known.has(to))
        .map((to) => `${file}: ${to}`),
    );
    expect(lost).toEqual([]);
  });

  it("have no circular imports, of types neither", () => {
    const graph = new Map(
      [...imports].map(([file, list]) => [
        file,
        list
          .filter((one) => one.kind !== "url")
          .map((one) => target(file, one.specifier))
          .filter((to) => to !== undefined),
      ]),
    );
    expect(circles(graph)).toEqual([]);
  });

  it("use a package that must be wrapped only where it is wrapped", () => {
    const strays = [...sources, ...pages].flatMap((file) =>
      (imports.get(file) ?? []).flatMap(({ specifier }) => {
        const places = PACKAGE_PLACES[packageOf(specifier) ?? ""];
        return places === undefined || places.some((place) => file.startsWith(place))
          ? []
          : [`${file}: ${specifier}`];
      }),
    );
    expect(strays).toEqual([]);
  });

  it("take time and chance from core only", () => {
    const direct =
      /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.now|set(?:Timeout|Interval|Immediate))\b/;
    const strays = sources
      .filter((file) => roomOf(file) !== "core")
      .filter((file) => direct.test(withoutComments(readFileSync(join(root, file), "utf8"))));
    expect(strays).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}
