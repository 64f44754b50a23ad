import { systemClock, systemRandom } from "../../../src/core/index.ts";
import { CallRecords } from "../../../src/records/index.ts";
import { callRecord, keptLog } from "./record-data.ts";

// A process that writes records FROM to TO to a file and a webhook as a gateway does, and tells how many are on the disk.
const [directory = ".", url = "", from = "1", to = "1"] = process.argv.slice(2);
const { log, told } = keptLog();
const records = new CallRecords({
  hideNumbers: false,
  file: { path: `${directory}/file/calls.jsonl`, maxBytes: 1e9, keep: 3, daily: false, compress: false },
  webhook: { url, queueDirectory: `${directory}/queue`, timeoutMs: 5000, maxQueueBytes: 50e6, batch: 1 },
  clock: systemClock,
  random: systemRandom,
  log,
});
for (let number = Number(from); number <= Number(to); number++) records.add(callRecord(number));
const tell = setInterval(() => {
  process.stdout.write(`${JSON.stringify({ ...records.counters, told: told() })}\n`);
}, 10);
process.stdin.once("data", () => {
  clearInterval(tell);
  process.stdin.destroy();
  void records.close();
});
