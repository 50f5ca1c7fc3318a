// Calls as providers make them, signed and then shown to each provider's own library; what that accepts is printed, as JSON.
'use strict';
const crypto = require('node:crypto');
// Not global before Node 19; Telnyx's library wants it.
globalThis.crypto ??= crypto.webcrypto;
const twilio = require('twilio');
const { getExpectedTwilioSignature } = require('twilio/lib/webhooks/webhooks');
const plivo = require('plivo/dist/utils/security');
const { TelnyxWebhook } = require('telnyx/lib/webhooks');
const { verifySignature } = require('@vonage/jwt');
// By its path: the whole library wants all the others of Sinch.
const { validateWebhookSignature } = require(`${process.env.NODE_PATH}/@sinch/sdk-client/dist/utils/authorization.helper.js`);

const url = 'https://gw.example.org/webhook/sms/';
const token = '0123456789abcdef';
const secret = 'a secret of thirty-two characters';
const now = Math.floor(Date.now() / 1000);
const calls = [];

function accept(provider, accepted, call) {
  if (!accepted) throw new Error(`the library of ${provider} refuses its own call`);
  calls.push({ provider, headers: {}, method: 'POST', ...call, now });
}

function callTwilio() {
  const fields = { MessageSid: 'SM1', From: '+12025550147', To: '+12025550100', Body: 'héllo & = +' };
  const where = url + 'twilio?a=b';
  const signature = getExpectedTwilioSignature(secret, where, fields);
  accept('twilio', twilio.validateRequest(secret, signature, where, fields), {
    url: where,
    headers: { 'x-twilio-signature': signature, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
}

function callPlivo() {
  const where = `${url}plivo/${token}`;
  const nonce = crypto.randomUUID();
  const signature = crypto.createHmac('sha256', secret).update(where + nonce).digest('base64');
  accept('plivo', plivo.validateSignature(where, nonce, signature, secret), {
    url: where,
    token,
    headers: { 'x-plivo-signature-v2': signature, 'x-plivo-signature-v2-nonce': nonce },
    body: new URLSearchParams({ MessageUUID: 'u1', From: '12025550147', To: '12025550100', Text: 'héllo' }).toString(),
  });
}

async function callTelnyx() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
  const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
  const payload = { id: 'm1', from: { phone_number: '+12025550147' }, to: [{ phone_number: '+12025550100' }], text: 'héllo' };
  const body = JSON.stringify({ data: { event_type: 'message.received', id: 'e1', payload } });
  const headers = {
    'telnyx-timestamp': String(now),
    'telnyx-signature-ed25519': crypto.sign(null, Buffer.from(`${now}|${body}`), privateKey).toString('base64'),
  };
  await new TelnyxWebhook(key).verify(body, headers);
  accept('telnyx', true, { url: url + 'telnyx', key, headers, body });
}

function callVonage() {
  const body = JSON.stringify({
    message_uuid: 'u1', channel: 'sms', message_type: 'text', from: '12025550147', to: '12025550100', text: 'héllo',
  });
  const hash = crypto.createHash('sha256').update(body).digest('hex');
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'Vonage', iat: now, exp: now + 300, jti: '1', api_key: 'key1', payload_hash: hash };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  const jwt = `${signed}.${crypto.createHmac('sha256', secret).update(signed).digest('base64url')}`;
  accept('vonage', verifySignature(jwt, secret), {
    url: url + 'vonage',
    headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
    body,
  });
}

function callSinch() {
  const body = JSON.stringify({ type: 'mo_text', id: 'i1', from: '12025550147', to: '12025550100', body: 'héllo' });
  const nonce = crypto.randomUUID();
  const headers = {
    'x-sinch-webhook-signature-algorithm': 'HmacSHA256',
    'x-sinch-webhook-signature-nonce': nonce,
    'x-sinch-webhook-signature-timestamp': String(now),
    'x-sinch-webhook-signature': crypto.createHmac('sha256', secret).update(`${body}.${nonce}.${now}`).digest('base64'),
  };
  accept('sinch', validateWebhookSignature(secret, headers, body), { url: url + 'sinch', headers, body });
}

(async () => {
  callTwilio();
  callPlivo();
  await callTelnyx();
  callVonage();
  callSinch();
  console.log(JSON.stringify({ secret, token, calls }));
})();
