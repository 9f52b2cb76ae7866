// An SMSC made of the npm package "smpp". It writes a JSON line for everything that happens to stdout and takes JSON
// lines on stdin; see ../foreign_smsc.py, which starts it.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const accounts = JSON.parse(process.argv[2]);
const wanted = Number(process.argv[3] || 0);
const settings = {
  bind_status: 0, // refuse every bind with this status
  bind_silent: false, // never answer a bind
  throttle: 0, // so many submit_sm more get ESME_RTHROTTLED
  refuse: 0, // so many more get refuse_status
  refuse_status: 0x0b,
  silent: 0, // so many more get no answer
  slow_ms: 0, // every submit_sm_resp comes so late
  duplicate: 0, // so many submit_sm_resp more are sent twice
  reorder: 0, // answer submit_sm in groups of so many, last first
  enquire_silent: false, // never answer enquire_link
  unbind_silent: false,
  receipts: true, // tell DELIVRD for each submit_sm that asks
  receipt_state: 'DELIVRD',
  decimal_receipts: false, // the receipt spells the hexadecimal message_id in decimal
};
const bound = new Map(); // session -> what it bound with
let connections = 0;
let messages = 0;
let group = [];
let server = null;
let port = wanted;

const say = (event, what) => process.stdout.write(JSON.stringify({ event, ...what }) + '\n');
const hex = (value) => (Buffer.isBuffer(value) ? value.toString('hex') : value);

// The package splits user data into a list of elements and the rest; put the bytes back as they were on the wire.
function userData(message) {
  if (message === undefined || Buffer.isBuffer(message)) return message || Buffer.alloc(0);
  if (typeof message === 'string') return Buffer.from(message, 'latin1');
  const text = message.message;
  const body = Buffer.isBuffer(text) ? text : Buffer.from(text || '', 'latin1');
  if (!message.udh) return body;
  const elements = Buffer.concat(message.udh);
  return Buffer.concat([Buffer.from([elements.length]), elements, body]);
}

function describe(pdu) {
  const told = { command: pdu.command, sequence: pdu.sequence_number, status: pdu.command_status };
  for (const [name, value] of Object.entries(pdu)) {
    if (name.startsWith('command') || name === 'sequence_number' || typeof value === 'function') continue;
    told[name] = name === 'short_message' || name === 'message_payload' ? hex(userData(value)) : hex(value);
  }
  if (told.password !== undefined) told.password = pdu.password ? 'given' : '';
  return told;
}

function sessionFor(system_id) {
  const all = [...bound.entries()].filter(([, bind]) => !system_id || bind.system_id === system_id);
  return all.length ? all[all.length - 1][0] : null;
}

function holderOf(number) {
  const digits = String(number).replace(/^\+/, '');
  const all = [...bound.entries()].filter(([, bind]) => String(bind.address_range).replace(/^\+/, '') === digits);
  return all.length ? all[all.length - 1][0] : null;
}

function address(text, ton) {
  const isNumber = /^\+?\d{7,15}$/.test(text);
  return { digits: text.replace(/^\+/, ''), ton: ton !== undefined ? ton : isNumber ? 1 : 5, npi: isNumber ? 1 : 0 };
}

function deliver(what) {
  const session = what.session || sessionFor(what.system_id);
  if (!session) return say('undeliverable', { id: what.id, reason: 'nobody is bound' });
  const source = address(what.source, what.source_ton);
  const destination = address(what.destination, what.destination_ton);
  const options = {
    source_addr_ton: source.ton,
    source_addr_npi: source.npi,
    source_addr: source.digits,
    dest_addr_ton: destination.ton,
    dest_addr_npi: destination.npi,
    destination_addr: destination.digits,
    esm_class: what.esm_class || 0,
    data_coding: what.data_coding === undefined ? 4 : what.data_coding,
    ...(what.tlvs || {}),
  };
  const octets = Buffer.from(what.hex, 'hex');
  if (what.as_payload) options.message_payload = octets;
  else options.short_message = octets;
  session.deliver_sm(options, (response) => {
    say('acknowledged', { id: what.id, status: response.command_status, sequence: response.sequence_number });
  });
  say('sent', { id: what.id });
}

function receipt(pdu, message_id) {
  const id = settings.decimal_receipts ? String(parseInt(message_id, 16)) : message_id;
  const done = new Date().toISOString().replace(/[-T:]/g, '').slice(2, 12);
  const text =
    `id:${id} sub:001 dlvrd:001 submit date:${done} done date:${done} stat:${settings.receipt_state} err:000 text:`;
  deliver({
    id: `receipt ${message_id}`,
    source: '+' + pdu.destination_addr,
    destination: pdu.source_addr,
    destination_ton: pdu.source_addr_ton,
    session: holderOf(pdu.source_addr) || undefined,
    hex: Buffer.from(text, 'latin1').toString('hex'),
    esm_class: 4,
    data_coding: 0,
  });
}

function forward(pdu) {
  const holder = holderOf(pdu.destination_addr);
  if (!holder) return;
  deliver({
    id: `forward ${pdu.sequence_number}`,
    session: holder,
    source: '+' + pdu.source_addr,
    source_ton: pdu.source_addr_ton,
    destination: '+' + pdu.destination_addr,
    hex: userData(pdu.short_message).toString('hex'),
    esm_class: pdu.esm_class & 0x40,
    data_coding: pdu.data_coding,
  });
}

function submitted(session, pdu) {
  let status = 0;
  if (settings.throttle > 0) {
    settings.throttle -= 1;
    status = smpp.ESME_RTHROTTLED;
  } else if (settings.refuse > 0) {
    settings.refuse -= 1;
    status = settings.refuse_status;
  } else if (settings.silent > 0) {
    settings.silent -= 1;
    return;
  }
  messages += 1;
  const message_id = (0xa000 + messages).toString(16);
  const answer = () => {
    const response = () => pdu.response(status ? { command_status: status } : { message_id });
    session.send(response());
    if (settings.duplicate > 0) {
      settings.duplicate -= 1;
      session.send(response());
    }
    if (status) return;
    forward(pdu);
    if (settings.receipts && pdu.registered_delivery & 1) receipt(pdu, message_id);
  };
  if (settings.reorder > 1) {
    group.push(answer);
    if (group.length < settings.reorder) return;
    const answers = group.reverse();
    group = [];
    answers.forEach((each) => each());
  } else if (settings.slow_ms) setTimeout(answer, settings.slow_ms);
  else answer();
}

function asked(session, number, pdu) {
  if (settings.bind_silent) return;
  let status = settings.bind_status;
  if (!status && accounts[pdu.system_id] === undefined) status = smpp.ESME_RINVSYSID;
  if (!status && accounts[pdu.system_id] !== pdu.password) status = smpp.ESME_RINVPASWD;
  if (status) return session.send(pdu.response({ command_status: status }));
  bound.set(session, pdu);
  session.send(pdu.response({ system_id: 'FOREIGN' }));
  say('bound', { session: number, system_id: pdu.system_id, address_range: pdu.address_range });
}

function connected(session) {
  const number = ++connections;
  say('connected', { session: number });
  session.on('pdu', (pdu) => say('pdu', { session: number, ...describe(pdu) }));
  for (const command of ['bind_transceiver', 'bind_receiver', 'bind_transmitter'])
    session.on(command, (pdu) => asked(session, number, pdu));
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => settings.enquire_silent || session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    if (settings.unbind_silent) return;
    session.send(pdu.response());
    session.close();
  });
  session.on('unknown', (pdu) => session.send(pdu.response()));
  session.on('error', (error) => say('error', { session: number, detail: String(error.message) }));
  session.on('close', () => {
    bound.delete(session);
    say('closed', { session: number });
  });
}

function listen() {
  server = smpp.createServer(connected);
  server.on('error', (error) => say('error', { detail: String(error.message) }));
  server.listen(port, '127.0.0.1', () => {
    port = server.address().port;
    say('listening', { port });
  });
}

const orders = {
  set: (order) => Object.assign(settings, order.settings),
  deliver,
  raw: (order) => sessionFor(order.system_id).socket.write(Buffer.from(order.hex, 'hex')),
  alert: (order) => {
    const source = address(order.source);
    sessionFor(order.system_id).alert_notification({ source_addr_ton: source.ton, source_addr_npi: source.npi, source_addr: source.digits });
  },
  enquire: (order) => sessionFor(order.system_id).enquire_link((pdu) => say('enquired', { status: pdu.command_status })),
  unbind: (order) => sessionFor(order.system_id).unbind(() => say('unbound', {})),
  close: (order) => [...server.sessions].forEach((session) => session.destroy()),
  down: () => {
    server.close();
    [...server.sessions].forEach((session) => session.destroy());
  },
  up: listen,
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  try {
    orders[order.do](order);
    say('done', { do: order.do });
  } catch (error) {
    say('error', { do: order.do, detail: String(error.message) });
  }
}).on('close', () => process.exit(0));

listen();
