// How the calculator that Twilio publishes counts the texts of standard input, a JSON list: [segments, encoding].
'use strict';
const { SegmentedMessage } = require('sms-segments-calculator');
const texts = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map((text) => {
  const counted = new SegmentedMessage(text);
  return [counted.segmentsCount, counted.getEncodingName()];
})));
