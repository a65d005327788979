// What is somebody's position on a topic? Usage: npm run ask ACTOR TOPIC [AS_OF]
//
// The daemon is the one that ONRECORD_SERVER names, or http://127.0.0.1:7450. Exit codes: 1 the
// daemon says no, 2 what cannot be asked, 3 no daemon answers.

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { ConditionKind, Polarity } from "./generated/onrecord/record/v1/statement_pb";
import { CatalogService } from "./generated/onrecord/v1/catalog_service_pb";
import { Finding, PositionService } from "./generated/onrecord/v1/position_service_pb";
import type { Stance } from "./generated/onrecord/v1/position_service_pb";

async function ask(server: string, actor: string, topic: string, asOf?: string): Promise<void> {
  const transport = createGrpcTransport({ baseUrl: server, defaultTimeoutMs: 120_000 });
  const { position, basis } = await createClient(PositionService, transport)
    .getPosition({ actor, topic, asOf });
  const finding = Finding[position?.finding ?? Finding.UNSPECIFIED];
  console.log(`${finding} ${inWords(position?.stance)}`.trimEnd());

  // The statement that decides, as the answer's own basis knew it.
  if (position?.deciding) {
    const { statement } = await createClient(CatalogService, transport)
      .getStatement({ statementId: position.deciding.statement, knownAt: basis?.knownAt });
    const { index, speaker } = position.deciding;
    console.log(`[${index}] ${speaker || "anonymous"}: ${statement?.statement?.text}`);
  }
}

// A stance as the command line writes it: OPEN 2 {prepared, UNLESS attacked}.
function inWords(stance?: Stance): string {
  if (!stance) return "";
  const conditions = stance.conditions.map(({ kind, id, text }) =>
    kind === ConditionKind.ONLY_IF ? id || text : `${ConditionKind[kind]} ${id || text}`);
  return [
    Polarity[stance.polarity],
    ...(stance.strength ? [stance.strength] : []),
    ...(conditions.length ? [`{${conditions.join(", ")}}`] : []),
  ].join(" ");
}

// Says in one line what went wrong, and with which exit code.
function explained(error: ConnectError, server: string): [string, number] {
  const [info] = error.details.flatMap((it) =>
    "type" in it && it.type === "google.rpc.ErrorInfo" ? [it.value] : []);
  if (info) {
    const cannotBeAsked = [Code.InvalidArgument, Code.OutOfRange].includes(error.code);
    return [`${error.rawMessage} (${reason(info)})`, cannotBeAsked ? 2 : 1];
  }
  // The daemon gives every error of its own a reason; this one is the connection's.
  if (![Code.Unavailable, Code.DeadlineExceeded].includes(error.code)) {
    return [`what is at ${server} does not answer as a daemon: ${error.rawMessage}`, 1];
  }
  const why = `no daemon answers at ${server}: ${error.rawMessage}`;
  return [`${why}; accepted: ONRECORD_SERVER=http://HOST:PORT of a running daemon`, 3];
}

// The first field of google.rpc.ErrorInfo.
function reason(info: Uint8Array): string {
  const reader = new BinaryReader(info);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) return reader.string();
    reader.skip(wireType, field);
  }
  return "";
}

function fail(line: string, code: number): never {
  console.error(line);
  process.exit(code);
}

const [actor, topic, asOf, ...more] = process.argv.slice(2);
if (!actor || !topic || more.length > 0) {
  fail("this is no question; accepted: npm run ask ACTOR TOPIC [AS_OF]", 2);
}
const server = process.env.ONRECORD_SERVER || "http://127.0.0.1:7450";
if (!/^https?:\/\/[^/\s]+:\d+\/?$/.test(server)) {
  fail(`${server} is not a daemon's address; accepted: ONRECORD_SERVER=http://HOST:PORT`, 2);
}
try {
  await ask(server, actor, topic, asOf);
} catch (error) {
  fail(...explained(ConnectError.from(error), server));
}
