// An SMSC that a test steers over HTTP: node smsc.js SMPP_PORT CONTROL_PORT
'use strict';
const http = require('http');
const smpp = require('smpp');

const [smppPort, controlPort] = process.argv.slice(2).map(Number);
const sessions = new Set();
// What waits until an ESME says that it has it: it is brought to whoever is bound, in turn, again and again.
const stored = [];
const PATIENCE_MS = 2000;
const received = [];
// What becomes of the next messages: ok, throttle, silent. When their receipts come: after, before, none, or stored: then they wait as
// phones' texts do.
const mode = { submit: 'ok', receipts: 'after' };
let ids = 1000;

const server = smpp.createServer({}, (session) => {
  const bind = (pdu) => {
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }), () => session.close());
      return;
    }
    session.by = pdu.system_type;
    sessions.add(session);
    session.send(pdu.response({ system_id: 'smsc' }));
  };
  for (const kind of ['bind_transceiver', 'bind_receiver', 'bind_transmitter']) session.on(kind, bind);
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => session.send(pdu.response(), () => session.close()));
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('close', () => sessions.delete(session));
  session.on('error', () => sessions.delete(session));
});

function submitted(session, pdu) {
  if (mode.submit === 'throttle') {
    session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    received.push({ throttled: true });
    return;
  }
  const whole = pdu.message_payload || pdu.short_message;
  received.push({
    by: session.by,
    from: pdu.source_addr,
    to: pdu.destination_addr,
    text: whole.message.toString(),
    udh: whole.udh ? whole.udh.map((element) => element.toString('hex')) : [],
    coding: pdu.data_coding,
    esm: pdu.esm_class,
  });
  if (mode.submit === 'silent') return;
  const id = (ids++).toString();
  const answer = () => session.send(pdu.response({ message_id: id }));
  const receipt = {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    source_addr_ton: 1,
    source_addr_npi: 1,
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    esm_class: 4,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611262200 done date:2611262201 stat:DELIVRD err:000 text:`,
  };
  if (mode.receipts === 'before') {
    session.deliver_sm(receipt);
    // The answer only after ours to the receipt has come.
    session.once('deliver_sm_resp', answer);
  } else {
    answer();
    if (mode.receipts === 'after') session.deliver_sm(receipt);
    if (mode.receipts === 'stored') stored.push(receipt);
  }
}

let turn = 0;
function bring() {
  const bound = [...sessions];
  for (const pdu of bound.length ? stored : []) {
    if (pdu.asked && Date.now() - pdu.asked < PATIENCE_MS) continue;
    pdu.asked = Date.now();
    const { asked, ...fields } = pdu;
    bound[turn++ % bound.length].deliver_sm(fields, (answer) => {
      if (answer.command_status !== 0) { pdu.asked = 0; return; }
      const place = stored.indexOf(pdu);
      if (place >= 0) stored.splice(place, 1);
    });
  }
}
setInterval(bring, 20);

function deliver(query, done) {
  const [session] = sessions;
  if (!session && !query.has('stored')) return done(503, 'nobody is bound');
  const message = Buffer.from(query.get('hex'), 'hex');
  const udh = query.get('udh');
  const pdu = {
    source_addr: query.get('from'),
    destination_addr: query.get('to'),
    source_addr_ton: 1,
    source_addr_npi: 1,
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    data_coding: Number(query.get('coding')),
    esm_class: udh ? 0x40 : 0,
    short_message: udh ? { udh: Buffer.from(udh, 'hex'), message } : { message },
  };
  if (query.has('stored')) { stored.push(pdu); return done(200, ''); }
  session.deliver_sm(pdu, (answer) => done(200, String(answer.command_status)));
}

http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const done = (status, body) => { response.writeHead(status); response.end(body); };
  switch (url.pathname) {
    case '/received': return done(200, JSON.stringify(received));
    case '/bound': return done(200, String(sessions.size));
    case '/who': return done(200, JSON.stringify([...sessions].map((session) => session.by)));
    case '/stored': return done(200, String(stored.length));
    case '/mode':
      for (const [name, value] of url.searchParams) mode[name] = value;
      return done(200, '');
    case '/drop':
      for (const session of sessions) session.destroy();
      return done(200, '');
    case '/deliver': return deliver(url.searchParams, done);
    default: return done(404, '');
  }
}).listen(controlPort, '127.0.0.1');
server.listen(smppPort, '127.0.0.1');
