import { Application, createEncoder, Signal } from "libopus-wasm";
import { compression, expansion, type Law } from "../../../src/media/codec/g711.ts";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { OpusSource } from "../../../src/media/codec/opus.ts";
import { voice } from "../../../test/support/sound.ts";
import { frameSamples, loopFrames, makeVoice } from "../voices.ts";
import { perPacket, type Stage, type StageSize } from "./stage.ts";

const complexities = [0, 1, 5] as const;
const fecLossHint = 20;

function speech(): readonly Int16Array[] {
  const sound = voice(8, 2);
  return Array.from({ length: loopFrames }, (_, index) =>
    sound.slice(index * frameSamples, (index + 1) * frameSamples),
  );
}

/** Runs `work` on the items in turn, going on where the last measurement ended. */
function round<T>(items: readonly T[], count: number, work: (item: T) => void): () => number {
  let next = 0;
  return () =>
    perPacket(count, () => {
      const item = items[next++ % items.length];
      if (item !== undefined) work(item);
    });
}

async function decodes(frames: readonly Int16Array[], { dear }: StageSize): Promise<Stage[]> {
  const streams = [
    ["narrowband 24k", (await makeVoice("opus", "narrow")).frames],
    ["full band 32k", (await makeVoice("opus", "full")).frames],
  ] as const;
  const stages: Stage[] = [];
  for (const [label, packets] of streams) {
    const source = await OpusSource.create();
    stages.push({
      name: `Opus decode at 8 kHz, ${label}`,
      measure: round(packets, dear, (packet) => source.decode(packet)),
      close: () => source.free(),
    });
  }
  const source = await OpusSource.create();
  const redundant = await withFec(frames);
  stages.push(
    {
      name: "Opus recover by FEC, narrowband 24k",
      measure: round(redundant, dear, (packet) => source.recover(packet, frameSamples)),
      close: () => source.free(),
    },
    { name: "Opus conceal, narrowband", measure: () => perPacket(dear, () => source.conceal(frameSamples)) },
  );
  return stages;
}

function encoder(complexity: number, fec: boolean): ReturnType<typeof createEncoder> {
  return createEncoder({
    sampleRate: 8000,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: 24_000,
    complexity,
    fec,
    packetLossPercent: fec ? fecLossHint : 0,
  });
}

async function withFec(frames: readonly Int16Array[]): Promise<Buffer[]> {
  const handle = await encoder(1, true);
  const packets = frames.map((frame) => Buffer.from(handle.encode(frame)));
  handle.free();
  return packets;
}

async function encodes(frames: readonly Int16Array[], { dear }: StageSize): Promise<Stage[]> {
  const stages: Stage[] = [];
  for (const fec of [false, true])
    for (const complexity of complexities) {
      const handle = await encoder(complexity, fec);
      stages.push({
        name: `Opus encode 24k, complexity ${complexity}${fec ? ", FEC" : ""}`,
        measure: round(frames, dear, (frame) => handle.encode(frame)),
        close: () => handle.free(),
      });
    }
  for (const lossPercent of [0, 10]) {
    const sink = await OpusSink.create();
    await sink.setLoss(lossPercent);
    stages.push({
      name: `Opus encode as the relay does it, ${lossPercent} % loss reported`,
      measure: round(frames, dear, (frame) => sink.encode(frame)),
      close: () => sink.free(),
    });
  }
  return stages;
}

function laws(frames: readonly Int16Array[], { cheap }: StageSize): Stage[] {
  const codes = new Uint8Array(frameSamples);
  const pcm = new Int16Array(frameSamples);
  const count = Math.ceil(cheap / 10);
  return (["pcmu", "pcma"] as const satisfies readonly Law[]).flatMap((law): Stage[] => {
    const { table, shift } = compression[law];
    const expanded = expansion[law];
    return [
      {
        name: `G.711 ${law} encode`,
        measure: round(frames, count, (frame) => {
          for (let index = 0; index < frameSamples; index++)
            codes[index] = table[((frame[index] ?? 0) & 0xffff) >>> shift] ?? 0;
        }),
      },
      {
        name: `G.711 ${law} decode`,
        measure: () =>
          perPacket(count, () => {
            for (let index = 0; index < frameSamples; index++) pcm[index] = expanded[codes[index] ?? 0] ?? 0;
          }),
      },
    ];
  });
}

/** Opus and G.711, both ways. */
export async function codecStages(size: StageSize): Promise<Stage[]> {
  const frames = speech();
  return [...(await decodes(frames, size)), ...(await encodes(frames, size)), ...laws(frames, size)];
}
