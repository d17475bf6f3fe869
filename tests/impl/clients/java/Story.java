// The core story with Java's kafka-clients: `java -cp 'libs/*' Story.java host:port prefix`. Each
// line that it prints is the name of a step that held; an exception ends it at the first that
// did not.

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Story {
    static String bootstrap;
    static String prefix;
    static Admin admin;

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        prefix = arguments[1];
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        produceAndConsume();
        idempotent();
        group("range", "org.apache.kafka.clients.consumer.RangeAssignor", null);
        group("sticky", "org.apache.kafka.clients.consumer.StickyAssignor", null);
        group("cooperative", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", null);
        group("static", "org.apache.kafka.clients.consumer.RangeAssignor", "instance");
        administer();
        admin.close();
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void until(BooleanSupplier condition, String what) {
        long deadline = System.currentTimeMillis() + 20_000;
        while (!condition.getAsBoolean()) {
            check(System.currentTimeMillis() < deadline, "not within 20 seconds: " + what);
        }
    }

    static void create(String topic, int partitions, Map<String, String> config) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(config)))
            .all().get();
        until(() -> {
            try {
                return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic)
                    .partitions().stream().allMatch(p -> p.leader() != null);
            } catch (Exception unknownYet) {
                return false;
            }
        }, topic + " has leaders");
    }

    static KafkaProducer<String, String> producer(String codec, String acks, boolean idempotent) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("compression.type", codec);
        settings.put("acks", acks);
        settings.put("enable.idempotence", idempotent);
        settings.put("linger.ms", 20);
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String group, Map<String, Object> more) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("group.id", group);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", false);
        settings.put("session.timeout.ms", 6000);
        settings.put("heartbeat.interval.ms", 100);
        settings.put("fetch.max.wait.ms", 50);
        settings.putAll(more);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static void produceAndConsume() throws Exception {
        String topic = prefix + "-codecs";
        create(topic, 1, Map.of());
        List<String> sent = new ArrayList<>();
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            for (String acks : List.of("0", "1", "all")) {
                try (KafkaProducer<String, String> producer = producer(codec, acks, false)) {
                    for (int number = 0; number < 5; number++) {
                        String value = (codec + acks + number).repeat(30);
                        ProducerRecord<String, String> one =
                            new ProducerRecord<>(topic, "key " + codec, value);
                        one.headers().add("trace", new byte[] {(byte) number});
                        producer.send(one);
                        sent.add(value);
                    }
                    producer.flush();
                }
            }
        }
        List<String> seen = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer("none", Map.of())) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            consumer.seekToBeginning(consumer.assignment());
            until(() -> {
                for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofMillis(100))) {
                    check(one.offset() == seen.size(), "offsets without a gap");
                    check(one.headers().lastHeader("trace") != null, "the header came back");
                    seen.add(one.value());
                }
                return seen.size() >= sent.size();
            }, "all is read");
        }
        check(seen.equals(sent), "what was sent is read, in order");
        System.out.println("produce-and-consume");
    }

    static void idempotent() throws Exception {
        String topic = prefix + "-idempotent";
        create(topic, 1, Map.of());
        try (KafkaProducer<String, String> producer = producer("zstd", "all", true)) {
            for (int number = 0; number < 50; number++) {
                RecordMetadata place =
                    producer.send(new ProducerRecord<>(topic, "" + number)).get();
                check(place.offset() == number, "each record has the next offset");
            }
        }
        System.out.println("idempotent");
    }

    static Set<Integer> numbers(Collection<TopicPartition> partitions) {
        Set<Integer> found = new TreeSet<>();
        partitions.forEach(partition -> found.add(partition.partition()));
        return found;
    }

    static void group(String name, String assignor, String instance) throws Exception {
        String topic = prefix + "-group-" + name;
        create(topic, 4, Map.of());
        Set<String> seen = new TreeSet<>();
        List<KafkaConsumer<String, String>> members = new ArrayList<>();
        for (int number = 0; number < 2; number++) {
            Map<String, Object> settings = instance == null
                ? Map.of("partition.assignment.strategy", assignor)
                : Map.of("partition.assignment.strategy", assignor,
                    "group.instance.id", instance + number);
            KafkaConsumer<String, String> member = consumer(topic, settings);
            member.subscribe(List.of(topic));
            members.add(member);
        }
        Runnable pollAll = () -> members.forEach(member -> {
            member.poll(Duration.ofMillis(20)).forEach(one -> seen.add(one.value()));
        });
        until(() -> {
            pollAll.run();
            return members.stream().allMatch(member -> member.assignment().size() == 2);
        }, "two partitions each");
        try (KafkaProducer<String, String> producer = producer("none", "all", true)) {
            for (int number = 0; number < 20; number++) {
                producer.send(new ProducerRecord<>(topic, number % 4, null, "" + number));
            }
        }
        until(() -> {
            pollAll.run();
            return seen.size() == 20;
        }, "all is read");
        members.forEach(KafkaConsumer::commitSync);
        var described = admin.describeConsumerGroups(List.of(topic)).all().get().get(topic);
        check(described.groupState() == GroupState.STABLE, "the group is stable");
        check(described.members().size() == 2, "it has two members");
        members.get(0).close();
        KafkaConsumer<String, String> stays = members.remove(1);
        if (instance == null) {
            until(() -> {
                stays.poll(Duration.ofMillis(20));
                return numbers(stays.assignment()).equals(Set.of(0, 1, 2, 3));
            }, "who stays holds all");
        } else {
            check(stays.assignment().size() == 2, "a static member that closes has not left");
        }
        stays.close();
        if (instance != null) {
            admin.removeMembersFromConsumerGroup(topic,
                new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions())
                .all().get();
        }
        Map<TopicPartition, OffsetAndMetadata> committed =
            admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get();
        check(committed.size() == 4, "four partitions were committed");
        check(committed.values().stream().allMatch(one -> one.offset() == 5), "five records each");
        admin.deleteConsumerGroupOffsets(topic, Set.of(new TopicPartition(topic, 0))).all().get();
        admin.alterConsumerGroupOffsets(topic,
            Map.of(new TopicPartition(topic, 1), new OffsetAndMetadata(2))).all().get();
        committed = admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get();
        check(committed.size() == 3, "one offset is deleted");
        check(committed.get(new TopicPartition(topic, 1)).offset() == 2, "one is altered");
        check(admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(topic)),
            "the group is listed");
        admin.deleteConsumerGroups(List.of(topic)).all().get();
        fails(GroupIdNotFoundException.class,
            () -> admin.describeConsumerGroups(List.of(topic)).all().get());
        System.out.println("group-" + name);
    }

    interface Attempt {
        void run() throws Exception;
    }

    static void fails(Class<? extends Throwable> kind, Attempt attempt) throws Exception {
        try {
            attempt.run();
        } catch (ExecutionException refusal) {
            check(kind.isInstance(refusal.getCause()), kind + " expected, not " + refusal);
            return;
        }
        throw new AssertionError(kind + " expected, and nothing was refused");
    }

    static void administer() throws Exception {
        String topic = prefix + "-admin";
        create(topic, 1, Map.of("max.message.bytes", "2000"));
        fails(TopicExistsException.class,
            () -> admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get());
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
        until(() -> {
            try {
                return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic)
                    .partitions().size() == 3;
            } catch (Exception fault) {
                throw new AssertionError(fault);
            }
        }, "three partitions");
        TopicPartition first = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = producer("none", "all", true)) {
            for (int number = 0; number < 10; number++) {
                producer.send(new ProducerRecord<>(topic, 0, 1000L + number, null, "" + number))
                    .get();
            }
            fails(RecordTooLargeException.class,
                () -> producer.send(new ProducerRecord<>(topic, "x".repeat(3000))).get());
        }
        check(admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(4))).all()
            .isCompletedExceptionally() == false, "records may be deleted");
        until(() -> {
            try {
                return admin.listOffsets(Map.of(first, OffsetSpec.earliest()))
                    .partitionResult(first).get().offset() == 4;
            } catch (Exception fault) {
                throw new AssertionError(fault);
            }
        }, "the log begins at 4");
        check(offset(first, OffsetSpec.latest()) == 10, "the log ends at 10");
        check(offset(first, OffsetSpec.forTimestamp(1006)) == 6, "a time is found");
        check(offset(first, OffsetSpec.maxTimestamp()) == 9, "the largest time is found");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(
            new ConfigEntry("retention.ms", "7000000"), AlterConfigOp.OpType.SET)))).all().get();
        until(() -> {
            try {
                return admin.describeConfigs(List.of(resource)).all().get().get(resource)
                    .get("retention.ms").value().equals("7000000");
            } catch (Exception fault) {
                throw new AssertionError(fault);
            }
        }, "the setting changed");
        check(admin.describeCluster().nodes().get().size() == 1, "one broker");
        int node = admin.describeCluster().controller().get().id();
        check(admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node).values()
            .stream().anyMatch(dir -> dir.replicaInfos().containsKey(first)), "the log has a folder");
        admin.deleteTopics(List.of(topic)).all().get();
        until(() -> {
            try {
                return !admin.listTopics().names().get().contains(topic);
            } catch (Exception fault) {
                throw new AssertionError(fault);
            }
        }, "the topic is gone");
        fails(UnknownTopicOrPartitionException.class,
            () -> admin.describeTopics(List.of(topic)).allTopicNames().get());
        System.out.println("administer");
    }

    static long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }
}
