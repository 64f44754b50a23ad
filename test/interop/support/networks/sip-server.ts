/** A SIP Server in a network of its own; tells each call that has ended as one line. */
import { parseArgs } from "node:util";
import { silentLogger, systemClock, systemRandom } from "../../../../src/core/index.ts";
import { openSandbox } from "../../../../src/sandbox/index.ts";

const { values } = parseArgs({ options: { host: { type: "string" }, port: { type: "string" } } });
const sandbox = await openSandbox({
  host: values.host ?? "",
  port: Number(values.port),
  dns: ["5001-5009"],
  clock: systemClock,
  random: systemRandom,
  log: silentLogger,
});
sandbox.events.on("ended", (call) => console.log(`ended ${JSON.stringify(call)}`));
console.log("sandbox is up");
