// A bare component on @xmpp/component: every message goes back to its sender.
//
//     node echo.js HOST:PORT DOMAIN SECRET
import { component } from "@xmpp/component";

const [server, domain, password] = process.argv.slice(2);
const xmpp = component({ service: `xmpp://${server}`, domain, password });
xmpp.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
xmpp.on("offline", () => process.exit(0));
xmpp.on("stanza", (stanza) => {
  if (!stanza.is("message")) return;
  const { from, to } = stanza.attrs;
  stanza.attrs.from = to;
  stanza.attrs.to = from;
  xmpp.send(stanza);
});
xmpp.start();
