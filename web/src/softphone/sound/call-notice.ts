/** What the browser says to notifications of this page; `unsupported` also within another site's page. */
export type NoticePermission = NotificationPermission | "unsupported";

const LONGEST_NAME = 100;

export function noticePermission(): NoticePermission {
  return "Notification" in window ? Notification.permission : "unsupported";
}

/** Asks the person; to be called from a click. */
export async function askForNotices(): Promise<void> {
  if (noticePermission() === "default") await Notification.requestPermission();
}

/** Who rings. */
export interface Caller {
  readonly callId: string;
  /** As text. */
  readonly name: string;
}

/** The browser's notification of a call that rings while the page is not in sight. */
export class CallNotice {
  readonly #enabled: () => boolean;
  #shown: Notification | undefined;
  #caller: Caller | undefined;
  /** Shown once for each call, so that closing it by hand lasts. */
  #told = false;

  constructor(enabled: () => boolean) {
    this.#enabled = enabled;
    document.addEventListener("visibilitychange", () => this.#update());
  }

  /** @param caller undefined: nobody any more */
  ring(caller: Caller | undefined): void {
    const isOther = caller?.callId !== this.#caller?.callId;
    this.#caller = caller;
    if (!isOther) return;
    this.#told = false;
    this.#shown?.close();
    this.#shown = undefined;
    this.#update();
  }

  #update(): void {
    if (this.#caller === undefined || this.#told || !document.hidden || !this.#enabled()) return;
    if (noticePermission() !== "granted") return;
    this.#told = true;
    try {
      // As text: browsers show no markup in it.
      const notice = new Notification(`${this.#caller.name.slice(0, LONGEST_NAME)} calls`, {
        body: "Click to go to the softphone.",
        tag: "jackfield-call",
        icon: "./jackfield.svg",
        requireInteraction: true,
      });
      notice.addEventListener("click", () => {
        window.focus();
        notice.close();
      });
      this.#shown = notice;
    } catch {
      // Browsers of phones show notifications only by a service worker: the call rings all the same.
    }
  }
}
