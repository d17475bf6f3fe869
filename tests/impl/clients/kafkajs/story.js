// The core story with kafkajs: `node story.js host:port prefix`. Each line that it prints is the
// name of a step that held; it ends with 1 and says why at the first that did not.

const assert = require('assert');
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs');
const Snappy = require('kafkajs-snappy');
const LZ4 = require('kafkajs-lz4');

CompressionCodecs[CompressionTypes.Snappy] = Snappy;
CompressionCodecs[CompressionTypes.LZ4] = new LZ4().codec;

const [bootstrap, prefix] = process.argv.slice(2);
const kafka = new Kafka({
  clientId: 'kproof-story',
  brokers: [bootstrap],
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, retries: 8 },
});

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(condition, what) {
  const deadline = Date.now() + 20000;
  while (!condition()) {
    assert(Date.now() < deadline, `not within 20 seconds: ${what}`);
    await wait(20);
  }
}

function join(groupId, topic, seen, extra = {}) {
  const consumer = kafka.consumer({
    groupId, sessionTimeout: 6000, heartbeatInterval: 200, rebalanceTimeout: 10000,
    maxWaitTimeInMs: 50, ...extra,
  });
  consumer.held = [];
  consumer.on(consumer.events.GROUP_JOIN, (event) => {
    consumer.held = event.payload.memberAssignment[topic] || [];
  });
  consumer.begin = async () => {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 100,
      eachMessage: async ({ partition, message }) => {
        seen.push({ partition, offset: message.offset, key: message.key, value: message.value,
          headers: message.headers, timestamp: message.timestamp });
      },
    });
  };
  return consumer;
}

async function create(admin, topic, numPartitions) {
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions }] });
}

async function produceAndConsume(admin) {
  const codecs = {
    none: CompressionTypes.None, gzip: CompressionTypes.GZIP,
    snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4,
  };
  const topic = `${prefix}-codecs`;
  await create(admin, topic, 1);
  const producer = kafka.producer();
  await producer.connect();
  const sent = [];
  for (const [name, compression] of Object.entries(codecs)) {
    for (const acks of [0, 1, -1]) {
      const messages = [0, 1, 2].map((number) => ({
        key: `${name} ${acks}`, value: `${name} ${acks} ${number} `.repeat(30),
        headers: { trace: String(number) },
      }));
      await producer.send({ topic, acks, compression, messages });
      sent.push(...messages);
    }
  }
  await producer.disconnect();
  const seen = [];
  const consumer = join(`${prefix}-reader`, topic, seen);
  await consumer.begin();
  await until(() => seen.length >= sent.length, 'all records are read');
  await consumer.disconnect();
  assert.deepStrictEqual(seen.map((record) => String(record.value)), sent.map((m) => m.value));
  assert.deepStrictEqual(seen.map((record) => String(record.key)), sent.map((m) => m.key));
  assert.deepStrictEqual(
    seen.map((record) => String(record.headers.trace)), sent.map((m) => m.headers.trace));
  assert.deepStrictEqual(
    seen.map((record) => Number(record.offset)), sent.map((_, number) => number));
  console.log('produce-and-consume');
}

async function idempotent(admin) {
  const topic = `${prefix}-idempotent`;
  await create(admin, topic, 1);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let number = 0; number < 5; number += 1) {
    await producer.send({ topic, messages: [{ value: String(number) }] });
  }
  await producer.disconnect();
  const [{ high }] = await admin.fetchTopicOffsets(topic);
  assert.strictEqual(high, '5');
  console.log('idempotent');
}

async function group(admin) {
  const topic = `${prefix}-group`;
  await create(admin, topic, 4);
  const seen = [];
  const members = [1, 2].map(() => join(topic, topic, seen));
  await members[0].begin();
  await until(() => members[0].held.length === 4, 'the first member holds all');
  await members[1].begin();
  await until(() => members.every((member) => member.held.length === 2), 'two partitions each');
  const producer = kafka.producer();
  await producer.connect();
  const messages = [...Array(20).keys()].map((number) => (
    { value: String(number), partition: number % 4 }));
  await producer.send({ topic, messages });
  await until(() => new Set(seen.map((record) => String(record.value))).size === 20, 'all is read');
  const { groups } = await admin.describeGroups([topic]);
  assert.strictEqual(groups[0].state, 'Stable');
  assert.strictEqual(groups[0].members.length, 2);
  await members[0].disconnect();
  await until(() => members[1].held.length === 4, 'who stays holds all');
  await wait(300);
  await members[1].disconnect();
  await producer.disconnect();
  const [committed] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
  assert.deepStrictEqual(
    committed.partitions.map((p) => p.offset).sort(), ['5', '5', '5', '5']);
  await admin.resetOffsets({ groupId: topic, topic, earliest: true });
  const again = [];
  const later = join(topic, topic, again);
  await later.begin();
  await until(() => again.length >= 20, 'after the reset all is read again');
  await later.disconnect();
  assert((await admin.listGroups()).groups.some(({ groupId }) => groupId === topic));
  await admin.deleteGroups([topic]);
  assert(!(await admin.listGroups()).groups.some(({ groupId }) => groupId === topic));
  console.log('group');
}

async function administer(admin) {
  const topic = `${prefix}-admin`;
  await create(admin, topic, 1);
  await assert.rejects(
    kafka.admin({ retry: { retries: 0 } }).createTopics({ topics: [{ topic: 'bad/name' }] }));
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
  await wait(200);
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  assert.strictEqual(topics[0].partitions.length, 3);
  const producer = kafka.producer();
  await producer.connect();
  const messages = [...Array(10).keys()].map((number) => ({ value: String(number), partition: 0 }));
  await producer.send({ topic, messages });
  await producer.disconnect();
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
  const first = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0);
  assert.deepStrictEqual([first.low, first.high], ['4', '10']);
  const resource = { type: 2, name: topic };
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '7000000' }] }],
  });
  await wait(200);
  const described = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
  const retention = described.resources[0].configEntries
    .find(({ configName }) => configName === 'retention.ms');
  assert.strictEqual(retention.configValue, '7000000');
  const { brokers } = await admin.describeCluster();
  assert.strictEqual(brokers.length, 1);
  await admin.deleteTopics({ topics: [topic] });
  await wait(200);
  assert(!(await admin.listTopics()).includes(topic));
  console.log('administer');
}

async function main() {
  const admin = kafka.admin();
  await admin.connect();
  await produceAndConsume(admin);
  await idempotent(admin);
  await group(admin);
  await administer(admin);
  await admin.disconnect();
}

main().then(() => process.exit(0), (fault) => {
  console.error(fault);
  process.exit(1);
});
