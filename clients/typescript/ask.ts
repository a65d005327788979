// What is somebody's position on a topic? Usage: npm run ask ACTOR TOPIC [AS_OF]
//
// The daemon is the one that ONRECORD_SERVER names, or http://127.0.0.1:7450.

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { Polarity } from "./generated/onrecord/record/v1/statement_pb";
import { CatalogService } from "./generated/onrecord/v1/catalog_service_pb";
import { Finding, PositionService } from "./generated/onrecord/v1/position_service_pb";

const [actor, topic, asOf] = process.argv.slice(2);
const transport = createGrpcTransport({
  baseUrl: process.env.ONRECORD_SERVER ?? "http://127.0.0.1:7450",
});

const { position, basis } = await createClient(PositionService, transport)
  .getPosition({ actor, topic, asOf });
const stance = position?.stance ? Polarity[position.stance.polarity] : "";
console.log(Finding[position?.finding ?? Finding.UNSPECIFIED], stance);

// The statement that decides, as the answer's own basis knew it.
if (position?.deciding) {
  const { statement } = await createClient(CatalogService, transport)
    .getStatement({ statementId: position.deciding.statement, knownAt: basis?.knownAt });
  console.log(`[${position.deciding.index}] ${position.deciding.speaker}: ${statement?.statement?.text}`);
}
