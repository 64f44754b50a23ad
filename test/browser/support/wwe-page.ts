import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import type { WweTransport } from "../../support/fake-wwe.ts";

export interface WweSite {
  /** Port on loopback, by whatever name. */
  readonly port: number;
  close(): Promise<void>;
}

/** Where WWE's own page comes from, another site than its endpoint. @param tls makes it an https one */
export async function serveWwe(tls?: { readonly cert: string; readonly key: string }): Promise<WweSite> {
  const html = `<!doctype html><title>Workspace</title><link rel="icon" href="data:,">`;
  const answer: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(html);
  };
  const server: Server = tls === undefined ? createServer(answer) : createSecureServer({ ...tls }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** WWE's requests from within a page of a real browser, as jQuery sends them: JSON's type on each, so each is preflighted. */
export function inPage(page: Page): WweTransport {
  return {
    request: async (method, url, body) =>
      await page.evaluate(
        async ([verb, address, text]) =>
          await new Promise<{ status: number; text: string }>((resolve, reject) => {
            const request = new XMLHttpRequest();
            request.open(verb, address);
            request.setRequestHeader("Content-Type", "application/json; charset=UTF-8");
            request.setRequestHeader("Accept", "application/json, text/javascript, */*; q=0.01");
            request.addEventListener("load", () =>
              resolve({ status: request.status, text: request.responseText }),
            );
            request.addEventListener("error", () => reject(new Error(`${verb} ${address} failed`)));
            request.send(text);
          }),
        [method, url, body] as const,
      ),
  };
}
