import { join } from "node:path";
import { contentSecurityPolicy } from "../../../../src/ws/index.ts";
import { serveFolder, type TestBrowser } from "../../../browser/support/index.ts";
import { hostile } from "../admin-data.ts";
import { FakeAdmin } from "../fake-admin.ts";
import { sizes, type Camera, type Shot } from "./camera.ts";

const built = join(import.meta.dirname, "..", "..", "..", "..", "web", "dist");
const all = [sizes.laptop, sizes.phone];
const laptop: Readonly<Record<string, Shot>> = { "": { size: sizes.laptop } };
const list: Readonly<Record<string, Shot>> = { "": { size: [1120, 600] } };

/** The dashboard of a gateway in full work: 1,000 agents, 500 calls, all of them made up. */
export async function dashboardPictures(browser: TestBrowser, camera: Camera): Promise<void> {
  const server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  const admin = new FakeAdmin(server.server);
  const page = await browser.open(`${server.origin}/admin/`);
  await page.getByTestId("login").waitFor();
  await camera.take(page, "dashboard-login", {}, all);
  await browser.context.request.post(`${server.origin}/api/login`, {
    data: { name: "eva", password: "secret-eva" },
  });
  // The tests' caller has a name that would do harm; this one does none.
  await page.route("**/api/calls/*/trace*", async (route) => {
    const response = await route.fetch();
    const text = (await response.text()).replaceAll(JSON.stringify(hostile).slice(1, -1), "Ann Lee");
    await route.fulfill({ response, body: text });
  });
  const at = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
  const bans = [
    { address: "10.30.4.17", dn: "5042", failures: 12, since: at(-3), until: at(5) },
    { address: "198.51.100.23", dn: null, failures: 40, since: at(-9), until: at(31) },
  ];
  await page.route("**/api/bans", async (route) => await route.fulfill({ json: { bans } }));
  const open = async (view: string): Promise<void> => {
    await page.goto(`${server.origin}/admin/#${view}`);
    await page.reload();
    await page.locator('[data-testid="link"][data-state="live"]').waitFor();
  };
  await open("now");
  await page.locator(".u-over").first().waitFor();
  await camera.take(
    page,
    "dashboard-now",
    { ...laptop, dark: { size: sizes.laptop, dark: true }, phone: { size: sizes.phone } },
    all,
  );
  await open("calls");
  await page.getByTestId("calls").locator(".list-row").first().waitFor();
  await camera.take(page, "dashboard-calls", list, all);
  await open("agents");
  await page.getByTestId("agents").locator(".list-row").first().waitFor();
  await camera.take(page, "dashboard-agents", list, all);
  await open("past");
  await camera.take(page, "dashboard-past", {}, all);
  await open("log");
  await camera.take(page, "dashboard-log", list, all);
  await open("call=call-4");
  await page.getByTestId("arrow").first().click();
  await page.getByTestId("message").waitFor();
  await camera.take(page, "dashboard-call", { ...laptop, phone: { size: sizes.phone } }, all);
  await page.close();
  admin.close();
  await server.close();
}
