import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { launchBrowser } from "../browser/support/index.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { Camera } from "./support/pictures/camera.ts";
import { dashboardPictures } from "./support/pictures/dashboard.ts";
import { embedPicture, softphonePictures } from "./support/pictures/softphone.ts";
import { adminToken, workspacePicture } from "./support/pictures/workspace.ts";
import { freeTcpPort } from "../support/free-port.ts";

// `npm run docs:screenshots`: the pictures in docs/images, made anew. With a folder: each state at each size there, light and
// dark, to look through, and what does not fit is said.
const [, , folder, part = "all"] = process.argv;
const images = resolve(folder ?? join(import.meta.dirname, "..", "..", "docs", "images"));
mkdirSync(images, { recursive: true });
const camera = new Camera(images, folder !== undefined);

const port = await freeTcpPort();
const origin = `http://127.0.0.1:${port}`;
const sandbox = await openTestSandbox();
const gateway = await openTestGateway({
  sipServer: `127.0.0.1:${sandbox.port}`,
  config: {
    http: { port },
    websocket: { origins: [origin] },
    admin: { token: adminToken },
    endpoint: { enabled: true },
  },
});
const browser = await launchBrowser();
const stage = { browser, gateway, sandbox, camera, origin };
try {
  if (part !== "dashboard") await softphonePictures(stage);
  if (part !== "dashboard") await embedPicture(stage);
  if (part !== "dashboard") await workspacePicture(stage);
  if (part !== "softphone") await dashboardPictures(browser, camera);
} finally {
  await browser.close();
  await gateway.close();
  await sandbox.close();
}
