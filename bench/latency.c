// From a CAN frame to the decision and the frames it causes, while people flood the console and the
// station flushes 1,000 queued messages to the central system; records on a real SQLite file. The
// clock starts before the other work of the same turn, so each figure is that of a frame that came
// at the worst moment. Beside it, for scale, a datagram over the loopback interface and back.
#include "store.h"
#include "street.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 20000, QUEUED = 1000, PINGS = 2000 };

static uint64_t now_ns(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right ? 1 : 0;
}

struct figures {
    uint64_t took_ns[FRAMES];
    size_t count;
};

static void sort(struct figures *figures)
{
    qsort(figures->took_ns, figures->count, sizeof(figures->took_ns[0]), by_size);
}

static double at_us(const struct figures *figures, size_t permille)
{
    size_t index = figures->count * permille / 1000;
    index = index < figures->count ? index : figures->count - 1;
    return (double)figures->took_ns[index] / 1000.0;
}

static void measure_loopback(struct figures *figures)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte = 0;
    figures->count = 0;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        perror("loopback");
        exit(1);
    }
    for (int i = 0; i < PINGS; i++) {
        uint64_t start = now_ns();
        if (sendto(fd, &byte, 1, 0, (struct sockaddr *)&at, len) != 1 ||
            recv(fd, &byte, 1, 0) != 1) {
            perror("loopback");
            exit(1);
        }
        figures->took_ns[figures->count++] = now_ns() - start;
    }
    (void)close(fd);
    sort(figures);
}

// The queue of a long time offline.
static void queue_messages(struct pw_station *st, pw_ms now)
{
    for (int i = 0; i < QUEUED; i++) {
        struct pw_sample sample;
        st->host.measure(st, 1, PW_READING_PERIODIC, &sample, now);
        if (pw_journal_meter(&st->journal, 1, &sample) != PW_OK) {
            (void)fprintf(stderr, "latency: the queue takes no more\n");
            exit(1);
        }
        // The store's queue is bounded: let the disk follow.
        while (i % 500 == 499 && pw_journal_durable(&st->journal, i) < 1) {
            (void)usleep(1000);
        }
    }
}

static unsigned answer_central(struct street *street)
{
    static char reply[4096];
    struct pw_str text = pw_station_out(street->station);
    struct pw_out out = PW_OUT(reply);
    if (text.len == 0) {
        return 0;
    }
    book_hear(&street->book, text, street->wall + (pw_unix_ms)street->now, &out);
    pw_station_out_sent(street->station, street->now);
    return pw_station_text(street->station, pw_out_str(&out), street->now) == PW_OK ? 1 : 0;
}

static unsigned flood(struct street *street, struct figures *figures)
{
    static char answer[16384];
    static const char *const lines[] = {"5", "help", "json status", "limits", "get"};
    unsigned flushed = 0;
    figures->count = 0;
    while (figures->count < FRAMES) {
        struct pw_can_frame frame;
        unsigned bus = 0;
        street->now += 5;
        (void)pw_world_dc_step(&street->world, street->now);
        while (figures->count < FRAMES && pw_world_dc_take_can(&street->world, &bus, &frame)) {
            struct pw_can_frame sent;
            struct pw_out out = PW_OUT(answer);
            uint64_t start = now_ns();
            (void)!pw_station_command(street->station,
                                      pw_str_of(lines[figures->count % PW_COUNT(lines)]), &out,
                                      street->now);
            flushed += answer_central(street);
            pw_station_can(street->station, bus, &frame, street->now);
            (void)pw_station_step(street->station, street->now);
            while (pw_station_take_can(street->station, &bus, &sent)) {
                pw_world_dc_can(&street->world, bus, &sent);
            }
            figures->took_ns[figures->count++] = now_ns() - start;
        }
    }
    sort(figures);
    return flushed;
}

// The writer's thread wakes nobody here: the flood looks often enough.
static void advanced(void *context)
{
    (void)context;
}

static bool is_online(const struct street *street)
{
    return strcmp(book_status_of(&street->book, 1), "") != 0;
}

int main(void)
{
    static struct street street;
    static struct figures frames;
    static struct figures pings;
    char folder[] = "/tmp/pilotwire-bench-XXXXXX";
    char path[64];
    char why[200] = "";
    struct pw_out out = PW_OUT(why);
    struct pw_world_dc_config world = pw_world_dc_defaults();
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/station.db", folder);
    struct pw_sqlite *sqlite = pw_sqlite_open(path, advanced, NULL, NULL, &out);
    if (sqlite == NULL) {
        (void)fprintf(stderr, "latency: %s\n", why);
        return 1;
    }
    world.plugged = true;
    street_open(&street, &world);
    street_set(&street, "session.free_id_tag", "FREE");
    street_set(&street, "charging.plug_and_charge", "true");
    street_set(&street, "metering.sample_interval_s", "0");
    street.store.port = pw_sqlite_store(sqlite);
    street_power_on(&street);
    for (int i = 0; i < 400 && !street_is_charging(&street); i++) {
        street_run(&street, 100);
        (void)usleep(2000); // the disk runs in real time
    }
    if (!street_is_charging(&street) || !street_until(&street, is_online, 1000)) {
        (void)fprintf(stderr, "latency: the charge does not begin\n");
        return 1;
    }
    queue_messages(street.station, street.now);
    measure_loopback(&pings);
    unsigned flushed = flood(&street, &frames);
    bool charging = street_is_charging(&street);
    (void)printf("| CAN frame to decision under flood | p50 %.0f us | p99 %.0f us | max %.0f us | "
                 "loopback datagram p50 %.0f us | flushed %u messages | target p99 < 1000 us |\n",
                 at_us(&frames, 500), at_us(&frames, 990), at_us(&frames, 1000), at_us(&pings, 500),
                 flushed);
    (void)printf("{\"bench\":\"latency\",\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
                 "\"loopback_p50_us\":%.1f,\"p99_ratio_to_loopback\":%.1f,\"flushed\":%u,"
                 "\"target_p99_us\":1000,\"seed_us\":10000}\n",
                 at_us(&frames, 500), at_us(&frames, 990), at_us(&frames, 1000), at_us(&pings, 500),
                 at_us(&frames, 990) / at_us(&pings, 500), flushed);
    street_power_off(&street);
    pw_sqlite_close(sqlite);
    static const char *const files[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < PW_COUNT(files); i++) {
        char file[80];
        (void)snprintf(file, sizeof(file), "%s%s", path, files[i]);
        (void)unlink(file);
    }
    (void)rmdir(folder);
    if (!charging || flushed < QUEUED) {
        (void)fprintf(stderr, "latency: the charge ended, or only %u messages left\n", flushed);
        return 1;
    }
    return 0;
}
