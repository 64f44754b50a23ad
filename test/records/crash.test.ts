import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import type { RecordCounters } from "../../src/records/index.ts";
import { idOf } from "./support/record-data.ts";
import { folder, Receiver, until } from "./support/record-lab.ts";

const program = join(import.meta.dirname, "support/records-process.ts");
type Told = RecordCounters & { readonly told: readonly string[] };

/** A gateway's records in a process of their own, with folders of which one may be a tiny file system. */
class RecordsProcess {
  readonly child: ChildProcess;
  now: Told | undefined;

  constructor(
    directory: string,
    url: string,
    range: readonly [number, number],
    command: readonly string[] = [],
  ) {
    const [first = process.execPath, ...args] = [
      ...command,
      process.execPath,
      program,
      directory,
      url,
      ...range.map(String),
    ];
    this.child = spawn(first, args, { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void this.child.kill("SIGKILL"));
    if (this.child.stdout)
      createInterface(this.child.stdout).on("line", (line) => (this.now = JSON.parse(line) as Told));
  }

  async end(how: "at once" | "in order"): Promise<void> {
    const exit = once(this.child, "exit");
    if (how === "at once") this.child.kill("SIGKILL");
    else this.child.stdin?.write("end\n");
    await exit;
  }
}

function folders(): string {
  const directory = folder();
  mkdirSync(join(directory, "file"));
  mkdirSync(join(directory, "queue"));
  return directory;
}

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => idOf(from + index));
const idsIn = (file: string): string[] =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);

it("a process that is killed at once, while the receiver is down and in the middle of sending, loses no record", async () => {
  const directory = folders();
  const receiver = await new Receiver().listen();
  const { port, url } = receiver;
  await receiver.close();
  const first = new RecordsProcess(directory, url, [1, 500]);
  await until(
    () => first.now?.webhook.queued === 500 && first.now.webhook.failed > 0 && first.now.file.written === 500,
  );
  await first.end("at once");

  const again = await new Receiver().listen(port);
  const second = new RecordsProcess(directory, url, [501, 1000]);
  await until(() => again.taken.length > 200 && second.now?.file.written === 500);
  await second.end("at once");
  const arrived = again.taken.length;
  expect(arrived).toBeLessThan(1000);

  const third = new RecordsProcess(directory, url, [1001, 1001]);
  await until(() => again.taken.includes(idOf(1001)));
  await third.end("in order");
  // Each at least once, those twice that were on their way; in order.
  expect([...new Set(again.taken)]).toEqual(range(1, 1001));
  expect(again.taken.length).toBeLessThan(1001 + 5);
  expect(idsIn(join(directory, "file/calls.jsonl"))).toEqual(range(1, 1001));
});

const mount = ["unshare", "--map-root-user", "--mount", "sh", "-c"];
const mayMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

it.skipIf(!mayMount)(
  "a full disk makes one line in the log; records wait and are written once there is room",
  async () => {
    const directory = folders();
    const receiver = await new Receiver().listen();
    // 64 kB, most of them taken: some of 200 records fit in. Room is made when the test makes a file to say so.
    const script = [
      'for part in file queue; do mount -t tmpfs -o size=64k tmpfs "$0/$part"; head -c 40000 /dev/zero > "$0/$part/other"; done',
      '(while [ ! -e "$0/go" ]; do sleep 0.05; done; rm "$0/file/other" "$0/queue/other"; mount -o remount,size=1m "$0/file"; mount -o remount,size=1m "$0/queue") &',
      'shift 0; "$@"; cp "$0/file/calls.jsonl" "$0/calls.jsonl"',
    ].join("\n");
    const process_ = new RecordsProcess(directory, receiver.url, [1, 200], [...mount, script, directory]);
    await until(() => (process_.now?.file.failed ?? 0) > 0);
    expect(process_.now?.told.filter((line) => line.includes("cannot be written"))).toHaveLength(2);
    spawnSync("touch", [join(directory, "go")]);
    await until(() => process_.now?.file.queued === 0 && process_.now.webhook.queued === 0);
    expect(process_.now?.file).toMatchObject({ written: 200, dropped: 0 });
    await process_.end("in order");
    expect(idsIn(join(directory, "calls.jsonl"))).toEqual(range(1, 200));
    expect([...new Set(receiver.taken)]).toEqual(range(1, 200));
  },
);
