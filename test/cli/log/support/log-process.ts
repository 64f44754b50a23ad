import { systemClock } from "../../../../src/core/index.ts";
import { openProcessLog } from "../../../../src/cli/log/process-log.ts";

// A process that logs as a gateway does and tells on standard error how late its event loop was at worst.
const [format = "auto", lines = "0", everyMs = "5"] = process.argv.slice(2);
const { log, close } = await openProcessLog(
  {
    level: "info",
    rooms: { sip: "debug" },
    format: format === "json" || format === "pretty" ? format : "auto",
  },
  systemClock,
);
let worst = 0;
let last = performance.now();
const watch = setInterval(() => {
  worst = Math.max(worst, performance.now() - last);
  last = performance.now();
}, 5);
const text = "x".repeat(1000);
for (let index = 0; index < Number(lines); index++) {
  log.info({ index, text }, "line");
  if (index % 500 === 0) await new Promise((done) => setTimeout(done, Number(everyMs)));
}
log.child({ room: "sip" }).debug({ password: "hunter2", evil: "\u001b[2J\u009b" }, "last\u001b[31m");
clearInterval(watch);
process.stderr.write(`${JSON.stringify({ worst, heap: process.memoryUsage().rss / 1e6 })}\n`);
if (process.argv[5] === "wait") await new Promise((done) => process.stdin.once("data", done));
await close();
process.stdin.destroy();
process.stderr.write("closed\n");
