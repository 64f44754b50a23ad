import type { CallDescription, EndDescription } from "./load-process.ts";
import type { MediaHandlers, PoolSettings, ServerCounts } from "./media-process.ts";
import { Child, type ChildOptions } from "./rpc.ts";

/** A relay under load: ours in a process of its own, or somebody else's. */
export interface RelayServer {
  readonly name: "jackfield" | "rtpengine";
  readonly pid: number;
  /** How the names of the threads begin that do the work, beside the main one. */
  readonly workThreads: readonly string[];
  openCalls(ends: readonly EndDescription[]): Promise<readonly CallDescription[]>;
  /** Ends the calls opened last. */
  closeCalls(count: number): Promise<void>;
  whenConnected(): Promise<void>;
  setActive(active: boolean): Promise<void>;
  counts(): Promise<ServerCounts>;
  close(): Promise<void>;
}

/** Our own media pool. */
export class JackfieldServer implements RelayServer {
  readonly name = "jackfield";
  readonly workThreads = ["media"];
  readonly child: Child<MediaHandlers>;

  private constructor(options: ChildOptions) {
    this.child = new Child("./media-process.ts", options);
  }

  static async open(settings: PoolSettings, options: ChildOptions): Promise<JackfieldServer> {
    const server = new JackfieldServer(options);
    try {
      await server.child.call("configure", settings);
      return server;
    } catch (error) {
      await server.child.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid;
  }

  openCalls(ends: readonly EndDescription[]): Promise<readonly CallDescription[]> {
    return this.child.call("openCalls", ends);
  }

  closeCalls(count: number): Promise<void> {
    return this.child.call("closeCalls", { count });
  }

  whenConnected(): Promise<void> {
    return this.child.call("whenConnected");
  }

  setActive(active: boolean): Promise<void> {
    return this.child.call("setActive", { active });
  }

  counts(): Promise<ServerCounts> {
    return this.child.call("counts");
  }

  async close(): Promise<void> {
    // One that died already is told by the call that met it.
    await this.child.call("close").catch(() => {});
    await this.child.stop();
  }
}
