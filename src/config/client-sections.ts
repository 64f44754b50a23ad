import { z } from "zod";
import { key } from "./keys.ts";

const pattern = z.string().regex(/^[^\p{Cc}]{1,200}$/u);

const autoAnswerModes = ["never", "header", "always"] as const;

const client = key(
  z.strictObject({
    match: key(pattern, {
      text: "User-Agent of the client's REGISTER; * stands for any characters, case counts not.",
      expects: "a text of 1 to 200 characters",
      example: '"Acme softphone*"',
    }),
    answerBy: key(z.enum(["page", "preanswer", "manual"]), {
      text: "Who answers when SIP Server sends NOTIFY talk. page: the client, which is told of it and has 8 s. preanswer: the client is made to answer by auto-answer headers while the call rings and is put through on talk. manual: a person.",
      expects: "page, preanswer or manual",
    }),
    autoAnswer: key(
      z
        .array(z.enum(["call-info", "alert-info", "p-auto-answer", "answer-mode"]))
        .min(1)
        .optional(),
      {
        text: "With preanswer, the forms of header sent. Left out: all.",
        expects: "a list of call-info, alert-info, p-auto-answer, answer-mode",
        example: "[call-info]",
      },
    ),
  }),
  { text: "", expects: "a map with match and answerBy" },
);

/** Kinds of clients, first match first. */
export const clients = key(z.array(client).default([]), {
  reload: true,
  text: "How clients are treated that are not the shipped page (docs/clients.md). The first entry that fits counts; a client that none fits answers by `page` if its REGISTER says `Allow-Events: talk`, else by `manual`.",
  expects: "a list of maps with match and answerBy",
  example: '[{ match: "Acme softphone*", answerBy: preanswer, autoAnswer: [call-info] }]',
});

export const autoAnswer = key(z.enum(autoAnswerModes).default("never"), {
  reload: true,
  text: "Answer calls without waiting for NOTIFY talk. never: SIP Server's desktop or the agent answers. header: where SIP Server's INVITE asks for it (Call-Info answer-after=0, Alert-Info auto answer, P-Auto-Answer, Answer-Mode: Auto). always: every call, at once. Clients with answerBy manual ring all the same.",
  expects: "never, header or always",
});

/** Of one DN or range, in place of `agents.autoAnswer`. */
export const ownAutoAnswer = key(z.enum(autoAnswerModes).optional(), {
  text: "In place of agents.autoAnswer.",
  expects: "never, header or always",
});
