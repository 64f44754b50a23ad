import { sizes } from "./camera.ts";
import type { Stage } from "./softphone.ts";

/** The admin token of the gateway that the pictures are taken at. */
export const adminToken = "token-of-the-pictures-gateway";

/** The page that carries the sound for Workspace, in a call, steered as WWE does (docs/endpoint.md). */
export async function workspacePicture({ browser, camera, sandbox, origin }: Stage): Promise<void> {
  const ask = async (path: string, body: object): Promise<unknown> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${adminToken}` };
    const answer = await fetch(`${origin}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return await answer.json();
  };
  const issued = (await ask("/api/endpoint/tokens", { dn: "5003" })) as { path: string; page: string };
  const page = await browser.open(`${origin}${issued.page}`);
  await page.getByText("Sign in to Workspace").waitFor();
  await ask(`${issued.path}RegisterDn`, { addresses: [`127.0.0.1:${sandbox.port}`], users: ["5003"] });
  await page.locator('[data-testid="lamp-trunk"][data-state="in-service"]').waitFor({ state: "attached" });
  await ask(`${issued.path}MakeCall`, { number: "9196" });
  await page.locator('[data-testid="call"][data-state="talking"]').waitFor({ state: "attached" });
  const shots = { "": { size: sizes.frame }, dark: { size: sizes.frame, dark: true } };
  await camera.take(page, "softphone-workspace", shots, [sizes.frame, sizes.gadget]);
  await ask(`${issued.path}UnregisterDn`, {});
  await page.close();
}
