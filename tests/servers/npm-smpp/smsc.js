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
// What becomes of the next messages: ok, throttle, silent, moods. When their receipts come: after, before, none, or stored: then they wait as
// phones' texts do.
// Moods: so many in a thousand are not simply taken, by chance, and while it is down none is; their receipts are asked for one by one.
const mode = { submit: 'ok', receipts: 'after', moods: 0, seed: 1, down: 'false' };
// What waits for an answer of an ESME, by session.
const waiting = new Map();
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
  session.on('close', () => gone(session));
  session.on('error', () => gone(session));
});

function gone(session) {
  sessions.delete(session);
  for (const done of waiting.get(session) || []) done(503, 'the session ended');
  waiting.delete(session);
}

function chance(bound) {
  mode.seed = (Math.imul(Number(mode.seed), 1664525) + 1013904223) >>> 0;
  return Math.floor(mode.seed / 2 ** 32 * bound);
}

function mood() {
  if (mode.down === 'true') return { name: 'fail', takes: false };
  if (chance(1000) >= Number(mode.moods)) return { name: 'take', takes: true };
  const names = ['throttle', 'throttle', 'fail', 'fail', 'refuse', 'refuse', 'cut', 'cut', 'silent'];
  const name = names[chance(names.length)];
  return { name, takes: (name === 'cut' || name === 'silent') && chance(2) === 0 };
}

function moody(session, pdu) {
  const { name, takes } = mood();
  const whole = pdu.message_payload || pdu.short_message;
  const id = takes ? (ids++).toString() : undefined;
  received.push({ text: whole.message.toString(), mood: name, id });
  const status = { throttle: smpp.ESME_RTHROTTLED, fail: smpp.ESME_RSYSERR, refuse: smpp.ESME_RINVDSTADR }[name];
  if (name === 'take') session.send(pdu.response({ message_id: id }));
  else if (name === 'cut') session.destroy();
  else if (status !== undefined) session.send(pdu.response({ command_status: status }));
}

function submitted(session, pdu) {
  if (mode.submit === 'moods') {
    moody(session, pdu);
    return;
  }
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
  const receipt = receiptOf(id, pdu.destination_addr, pdu.source_addr, 'DELIVRD');
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

const numbers = { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1 };

function receiptOf(id, from, to, stat) {
  return {
    ...numbers,
    source_addr: from,
    destination_addr: to,
    esm_class: 4,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611262200 done date:2611262201 stat:${stat} err:000 text:`,
  };
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
  const message = Buffer.from(query.get('hex'), 'hex');
  const udh = query.get('udh');
  const pdu = {
    ...numbers,
    source_addr: query.get('from'),
    destination_addr: query.get('to'),
    data_coding: Number(query.get('coding')),
    esm_class: udh ? 0x40 : 0,
    short_message: udh ? { udh: Buffer.from(udh, 'hex'), message } : { message },
  };
  if (query.has('stored')) { stored.push(pdu); return done(200, ''); }
  bringOnce(pdu, done);
}

// Answered with the status of the ESME's answer, or by the end of its session.
function bringOnce(pdu, done) {
  const [session] = sessions;
  if (!session) return done(503, 'nobody is bound');
  if (!waiting.has(session)) waiting.set(session, new Set());
  waiting.get(session).add(done);
  session.deliver_sm(pdu, (answer) => {
    if (waiting.has(session) && waiting.get(session).delete(done)) done(200, String(answer.command_status));
  });
}

http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const done = (status, body) => { response.writeHead(status); response.end(body); };
  switch (url.pathname) {
    case '/received':
      return done(200, JSON.stringify(received.slice(Number(url.searchParams.get('since')))));
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
    case '/receipt': {
      const [id, from, to, stat] = ['id', 'from', 'to', 'stat'].map((name) => url.searchParams.get(name));
      return bringOnce(receiptOf(id, from, to, stat), done);
    }
    default: return done(404, '');
  }
}).listen(controlPort, '127.0.0.1');
server.listen(smppPort, '127.0.0.1');
