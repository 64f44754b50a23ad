import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchAccounts } from "../../../src/cli/onlookers/accounts-watch.ts";
import { LiveConfig } from "../../../src/cli/gateway/live-config.ts";
import type { Onlooker } from "../../../src/cli/gateway/rooms.ts";
import { checkTree, findAccount } from "../../../src/config/index.ts";
import { createLogger } from "../../../src/core/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

let clock: FakeClock;
let folder: string;
let live: LiveConfig;
let lines: Record<string, unknown>[];
let watching: Onlooker | undefined;
let changes: number;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  changes = 0;
  folder = mkdtempSync(join(tmpdir(), "jackfield-accounts-"));
  writeFileSync(join(folder, "agents"), "5001:one\n5002:two\n");
  const host = "127.0.0.1";
  const tree = {
    http: { host },
    sip: { host },
    media: { host },
    agents: { accounts: [{ dn: "5000", password: "of the configuration" }], accountsFile: "agents" },
    sipServer: { addresses: ["127.0.0.1:5060"] },
  };
  const checked = checkTree(tree, () => undefined, folder, {});
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  const log = createLogger("info", { write: (line) => void lines.push(JSON.parse(line)) });
  live = new LiveConfig(checked.config, log);
  live.events.on("changed", () => changes++);
  watching = watchAccounts({
    live,
    surroundings: { clock, random: new CountingRandom(), log, pageDirectory: folder },
  });
});
afterEach(async () => {
  await watching?.close();
  rmSync(folder, { recursive: true });
});

/** Renamed into place, as editors do. */
async function change(text: string): Promise<void> {
  writeFileSync(join(folder, "new"), text);
  renameSync(join(folder, "new"), join(folder, "agents"));
  await told();
}

async function told(): Promise<void> {
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(500);
}

const dns = (): string => live.current.agents.fileAccounts.map(({ dn }) => dn).join();
const logged = (): unknown[] => lines.map(({ fault, msg }) => fault ?? msg);

test("a new accounts file is in force, and the log tells what differs, without a secret", async () => {
  await change("5001:other\n5003:three\n");
  expect(dns()).toBe("5001,5003");
  expect(findAccount(live.current, "5001")?.credentials).toEqual({ kind: "password", password: "other" });
  expect(findAccount(live.current, "5002")).toBeUndefined();
  expect(findAccount(live.current, "5000")).toBeDefined();
  expect(lines).toMatchObject([
    {
      accounts: 2,
      added: 1,
      changed: 1,
      gone: 1,
      dns: { added: ["5003"], changed: ["5001"], gone: ["5002"] },
    },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/three|other"/);
});

test("a broken one changes nothing; each of its faults is told once, and again when it comes back", async () => {
  await change("5001:one\nhunter2\n5000:twice\n");
  await change("hunter2\nhunter2\n5000:twice\n");
  expect([dns(), changes]).toEqual(["5001,5002", 0]);
  expect(logged()).toEqual([
    "line 2 does not begin with a DN and a colon",
    "line 3 names DN 5000, which agents.accounts has",
    "line 1 does not begin with a DN and a colon",
  ]);
  expect(JSON.stringify(lines)).not.toContain("hunter2");
  await change("5009:nine");
  expect([dns(), changes]).toEqual(["5009", 1]);
  lines = [];
  await change("hunter2");
  expect(logged()).toEqual(["line 1 does not begin with a DN and a colon"]);
});

test("an empty one, as a full disk leaves it, or none at all changes nothing", async () => {
  await change("");
  rmSync(join(folder, "agents"));
  await told();
  expect([dns(), changes, logged()]).toEqual(["5001,5002", 0, ["holds no account", "does not exist"]]);
});
