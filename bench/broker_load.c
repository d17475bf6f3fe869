/* Load through librdkafka, from C: in Python the client's own cost for each message would hide the
 * broker's.  `bench/broker.py` compiles this against the librdkafka that the wheel of
 * confluent-kafka brings with it.  The wheel has no header, so what is called is declared here; all
 * of it is librdkafka's public interface, which has been stable since 1.0.
 *
 *   load produce ADDRESS TOPIC COUNT SIZE [setting=value ...]
 *   load consume ADDRESS TOPIC COUNT SIZE [setting=value ...]
 *   load ack     ADDRESS TOPIC COUNT SIZE [setting=value ...]
 *
 * Each prints one line of JSON.  `ack` sends a message only when the last is acknowledged.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_queue_s rd_kafka_queue_t;
typedef struct rd_kafka_topic_partition_list_s rd_kafka_topic_partition_list_t;
typedef struct {
        int err;
        rd_kafka_topic_t *rkt;
        int32_t partition;
        void *payload;
        size_t len;
        void *key;
        size_t key_len;
        int64_t offset;
        void *_private;
} rd_kafka_message_t;

enum { PRODUCER = 0, CONSUMER = 1, QUEUE_FULL = -184, END_OF_PARTITION = -191 };
enum { BATCH = 10000 };

rd_kafka_conf_t *rd_kafka_conf_new(void);
int rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *, size_t);
void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *,
                                 void (*)(rd_kafka_t *, const rd_kafka_message_t *, void *));
rd_kafka_t *rd_kafka_new(int, rd_kafka_conf_t *, char *, size_t);
rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *, const char *, void *);
int rd_kafka_produce(rd_kafka_topic_t *, int32_t, int, void *, size_t, const void *, size_t, void *);
int rd_kafka_last_error(void);
const char *rd_kafka_err2str(int);
int rd_kafka_poll(rd_kafka_t *, int);
int rd_kafka_outq_len(rd_kafka_t *);
rd_kafka_topic_partition_list_t *rd_kafka_topic_partition_list_new(int);
void *rd_kafka_topic_partition_list_add(rd_kafka_topic_partition_list_t *, const char *, int32_t);
int rd_kafka_topic_partition_list_set_offset(rd_kafka_topic_partition_list_t *, const char *,
                                             int32_t, int64_t);
int rd_kafka_assign(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);
rd_kafka_queue_t *rd_kafka_queue_get_consumer(rd_kafka_t *);
ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *, int, rd_kafka_message_t **, size_t);
void rd_kafka_message_destroy(rd_kafka_message_t *);

static long acknowledged, failed;
static int last_failure;

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
        (void)client, (void)opaque;
        if (message->err) {
                failed++;
                last_failure = message->err;
        }
        acknowledged++;
}

static double now(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const char *why) {
        fprintf(stderr, "broker_load: %s: %s\n", what, why);
        exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
        char why[512];
        if (rd_kafka_conf_set(conf, name, value, why, sizeof(why))) die(name, why);
}

static void report(long messages, long size, double seconds, const char *more) {
        struct rusage used;
        getrusage(RUSAGE_SELF, &used);
        double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
        printf("{\"messages\": %ld, \"bytes\": %ld, \"seconds\": %.6f, \"cpu_seconds\": %.3f%s}\n",
               messages, messages * size, seconds, cpu, more);
        fflush(stdout);
        _Exit(0); /* The client's own tidying up takes a second and is nobody's figure. */
}

static void send_one(rd_kafka_t *client, rd_kafka_topic_t *topic, void *value, long size) {
        while (rd_kafka_produce(topic, 0, 0, value, (size_t)size, NULL, 0, NULL)) {
                int err = rd_kafka_last_error();
                if (err != QUEUE_FULL) die("produce", rd_kafka_err2str(err));
                rd_kafka_poll(client, 10);
        }
}

static void wait_for(rd_kafka_t *client, long count) {
        double until = now() + 120;
        while (acknowledged < count) {
                rd_kafka_poll(client, 10);
                if (now() > until) die("produce", "no acknowledgement for two minutes");
        }
        if (failed) die("produce", rd_kafka_err2str(last_failure));
}

static void produce(rd_kafka_t *client, rd_kafka_topic_t *topic, long count, long size) {
        void *value = calloc(1, (size_t)size);
        send_one(client, topic, value, size); /* The connection is up when this has arrived. */
        wait_for(client, 1);
        double started = now();
        for (long i = 0; i < count; i++) {
                send_one(client, topic, value, size);
                if (i % 1000 == 0) rd_kafka_poll(client, 0);
        }
        wait_for(client, count + 1);
        report(count, size, now() - started, "");
}

static int ascending(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static void ack(rd_kafka_t *client, rd_kafka_topic_t *topic, long count, long size) {
        enum { WARM_UP = 200 };
        void *value = calloc(1, (size_t)size);
        double *took = calloc((size_t)count, sizeof(double)), first = 0;
        for (long i = 0; i < count + WARM_UP; i++) {
                double started = now();
                if (i == WARM_UP) first = started;
                send_one(client, topic, value, size);
                wait_for(client, i + 1);
                if (i >= WARM_UP) took[i - WARM_UP] = (now() - started) * 1e3;
        }
        double seconds = now() - first;
        qsort(took, (size_t)count, sizeof(double), ascending);
        char more[200];
        snprintf(more, sizeof(more),
                 ", \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"p999_ms\": %.4f, \"max_ms\": %.4f",
                 took[count / 2], took[count * 99 / 100], took[count * 999 / 1000],
                 took[count - 1]);
        report(count, size, seconds, more);
}

static void consume(rd_kafka_t *client, const char *topic, long count, long size) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, topic, 0);
        rd_kafka_topic_partition_list_set_offset(list, topic, 0, 0);
        if (rd_kafka_assign(client, list)) die("consume", "the partition was not assigned");
        rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
        static rd_kafka_message_t *messages[BATCH];
        long received = 0, first = 0, before = -1;
        double started = 0, until = now() + 120;
        while (received < count) {
                ssize_t n = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
                for (ssize_t i = 0; i < n; i++) {
                        rd_kafka_message_t *message = messages[i];
                        if (message->err) die("consume", rd_kafka_err2str(message->err));
                        if (message->offset != before + 1) die("consume", "an offset is missing");
                        if ((long)message->len != size) die("consume", "a value of another size");
                        before = message->offset;
                        rd_kafka_message_destroy(message);
                }
                if (n > 0 && started == 0) {
                        started = now(); /* Looking up leader and offset is not counted, */
                        first = n;       /* and so the first messages are not either. */
                }
                received += n > 0 ? n : 0;
                if (now() > until) die("consume", "not everything came in two minutes");
        }
        report(received - first, size, now() - started, "");
}

int main(int argc, char **argv) {
        if (argc < 6) die("usage", "load produce|consume|ack ADDRESS TOPIC COUNT SIZE [name=value]");
        const char *mode = argv[1], *topic = argv[3];
        long count = atol(argv[4]), size = atol(argv[5]);
        char why[512];
        rd_kafka_conf_t *conf = rd_kafka_conf_new();
        set(conf, "bootstrap.servers", argv[2]);
        if (!strcmp(mode, "consume")) {
                set(conf, "group.id", "bench");
                set(conf, "enable.auto.commit", "false");
        } else {
                set(conf, "queue.buffering.max.messages", "500000");
                set(conf, "queue.buffering.max.kbytes", "1048576");
                rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        }
        for (int i = 6; i < argc; i++) {
                char *equals = strchr(argv[i], '=');
                if (!equals) die("usage", "a setting is name=value");
                *equals = 0;
                set(conf, argv[i], equals + 1);
        }
        rd_kafka_t *client =
            rd_kafka_new(strcmp(mode, "consume") ? PRODUCER : CONSUMER, conf, why, sizeof(why));
        if (!client) die("librdkafka", why);
        if (!strcmp(mode, "consume")) consume(client, topic, count, size);
        else if (!strcmp(mode, "ack")) ack(client, rd_kafka_topic_new(client, topic, 0), count, size);
        else if (!strcmp(mode, "produce"))
                produce(client, rd_kafka_topic_new(client, topic, 0), count, size);
        else die("usage", "the first argument is produce, consume or ack");
        return 1;
}
