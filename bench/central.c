// What live stations notice of an attack on the central (facts/reliability.md T38): 200 heartbeats
// a second of 500 stations while somebody guesses 1,000 station keys or passwords a second, from
// one and from 100 addresses. Arrivals are a timetable, the work of each is measured by the
// processor's clock, and one loop serves them in turn: so a busy machine counts for nothing.
// Passwords take their 80 ms beside the loop, as in the program.
#include "central.h"

#include "central_crypto.h"
#include "central_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATIONS = 500, SECONDS = 10, BEATS = SECONDS * 200, PASSWORD_US = 80000 };

enum attack { QUIET, KEYS_ONE, KEYS_MANY, PASSWORDS_ONE, PASSWORDS_MANY, ATTACKS };

static const char *const names[ATTACKS] = {"quiet", "keys_1", "keys_100", "passwords_1",
                                           "passwords_100"};

struct run {
    struct pw_central_store store;
    struct pw_central *central;
    struct pw_central_crypto crypto;
    struct pw_central_net net;
    double free_us;   // when the loop is done with all that came
    double worker_us; // … and the thread beside it
    uint64_t waits[PW_CENTRAL_DERIVE_MAX];
    double ready_us[PW_CENTRAL_DERIVE_MAX];
    size_t waiting;
    double late_us[BEATS];
    size_t beats;
    size_t answers;
    uint64_t numbers;
};

static struct run run;

static int net_send(void *context, uint64_t link, struct pw_str text)
{
    (void)context;
    (void)link;
    run.answers += text.len > 0;
    return PW_OK;
}

static void net_ping(void *context, uint64_t link)
{
    (void)context;
    (void)link;
}

static void net_pause(void *context, uint64_t link, bool paused)
{
    (void)context;
    (void)link;
    (void)paused;
}

static void net_close(void *context, uint64_t link, unsigned code, const char *reason)
{
    (void)context;
    (void)link;
    (void)code;
    (void)reason;
}

static int derive_later(void *context, uint64_t number, struct pw_str password,
                        const uint8_t salt[16], unsigned cost)
{
    (void)context;
    (void)password;
    (void)salt;
    (void)cost;
    if (run.waiting == PW_CENTRAL_DERIVE_MAX) {
        return PW_ERR_LIMIT;
    }
    run.worker_us = (run.worker_us > run.free_us ? run.worker_us : run.free_us) + PASSWORD_US;
    run.waits[run.waiting] = number;
    run.ready_us[run.waiting++] = run.worker_us;
    return PW_OK;
}

static double cpu_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static struct pw_instant at_ms(unsigned ms)
{
    return (struct pw_instant){.now = 1000 + ms, .wall = INT64_C(1780000000000) + ms};
}

// Handshake or login of somebody who guesses.
static void guess(enum attack attack, unsigned n, struct pw_instant at)
{
    char address[32];
    bool many = attack == KEYS_MANY || attack == PASSWORDS_MANY;
    (void)snprintf(address, sizeof(address), "198.51.100.%u", many ? n % 100 : 1);
    if (attack == KEYS_ONE || attack == KEYS_MANY) {
        const struct pw_central_handshake handshake = {
            .path = PW_STR("/ocpp/S0001"),
            .authorization = PW_STR("Basic UzAwMDE6d3Jvbmctd3Jvbmctd3Jvbmct"),
            .protocols = PW_STR("ocpp1.6"),
            .address = pw_str_of(address)};
        (void)pw_central_handshake(run.central, ++run.numbers, &handshake, at);
        return;
    }
    const struct pw_http_request request = {
        .method = PW_HTTP_POST,
        .path = PW_STR("/api/v1/login"),
        .body = PW_STR("{\"user\":\"admin\",\"password\":\"guess-guess\"}"),
        .host = PW_STR("127.0.0.1"),
        .address = pw_str_of(address),
        .stream = ++run.numbers};
    struct pw_http_reply reply;
    pw_central_http(run.central, &request, &reply, at);
}

static void stream_ready(void *context, uint64_t stream)
{
    (void)context;
    pw_central_stream_closed(run.central, stream); // who guesses does not wait for the answer
}

// One piece of work that came at `ms`: when it is done.
static double serve(enum attack attack, unsigned n, unsigned ms, uint64_t link)
{
    static const char beat[] = "[2,\"1\",\"Heartbeat\",{}]";
    double came = ms * 1000.0;
    double begin = came > run.free_us ? came : run.free_us;
    double before = cpu_us();
    if (attack == QUIET) {
        pw_central_text(run.central, link, PW_STR(beat), at_ms(ms));
    } else {
        guess(attack, n, at_ms(ms));
    }
    static const uint8_t wrong[32];
    while (run.waiting > 0 && run.ready_us[0] <= begin) {
        uint64_t number = run.waits[0];
        run.waiting--;
        memmove(&run.waits[0], &run.waits[1], run.waiting * sizeof(run.waits[0]));
        memmove(&run.ready_us[0], &run.ready_us[1], run.waiting * sizeof(run.ready_us[0]));
        pw_central_derived(run.central, number, wrong, at_ms(ms));
    }
    (void)pw_central_step(run.central, at_ms(ms));
    run.free_us = begin + cpu_us() - before;
    return run.free_us - came;
}

static void add_stations(void)
{
    for (unsigned i = 0; i < STATIONS; i++) {
        char id[16];
        char path[32];
        char made[PW_CENTRAL_KEY_MAX];
        (void)snprintf(id, sizeof(id), "S%04u", i);
        (void)snprintf(path, sizeof(path), "/ocpp/%s", id);
        PW_ASSERT(pw_central_station_add(run.central, pw_str_of(id), PW_STR(""), true, made,
                                         at_ms(0)) == PW_OK);
        // They came in by certificate: their own keys are not what is measured.
        const struct pw_central_certificate certificate = {.common_name = pw_str_of(id),
                                                           .serial = PW_STR("01")};
        const struct pw_central_handshake handshake = {.path = pw_str_of(path),
                                                       .protocols = PW_STR("ocpp1.6"),
                                                       .address = PW_STR("192.0.2.1"),
                                                       .tls = true,
                                                       .certificate = &certificate};
        PW_ASSERT(pw_central_handshake(run.central, ++run.numbers, &handshake, at_ms(0)).status ==
                  101);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double p99_of(enum attack attack)
{
    const char *why = "";
    memset(&run, 0, sizeof(run));
    PW_ASSERT(pw_central_store_open(&run.store, ":memory:", NULL, &why) == PW_OK);
    run.crypto = pw_central_crypto_openssl;
    run.crypto.derive_later = derive_later;
    run.net = (struct pw_central_net){.send = net_send,
                                      .ping = net_ping,
                                      .pause = net_pause,
                                      .close = net_close,
                                      .stream_ready = stream_ready};
    const struct pw_central_config config = {
        .db = &run.store.db, .net = &run.net, .crypto = &run.crypto, .version = PW_STR("bench")};
    PW_ASSERT(pw_central_new(&run.central, &config, at_ms(0), &why) == PW_OK);
    add_stations();
    run.free_us = 0;
    for (unsigned ms = 1; ms <= SECONDS * 1000; ms++) {
        if (attack != QUIET) {
            (void)serve(attack, ms, ms, 0);
        }
        if (ms % 5 == 0) {
            run.late_us[run.beats] = serve(QUIET, 0, ms, 1 + run.beats % STATIONS);
            run.beats++;
        }
    }
    PW_ASSERT(run.answers == BEATS);
    pw_central_free(run.central);
    pw_central_store_close(&run.store);
    qsort(run.late_us, run.beats, sizeof(run.late_us[0]), by_size);
    return run.late_us[run.beats * 99 / 100];
}

int main(void)
{
    double p99[ATTACKS];
    for (enum attack attack = QUIET; attack < ATTACKS; attack++) {
        p99[attack] = p99_of(attack);
    }
    (void)printf(
        "| heartbeat at the central, p99 | quiet %.0f us | 1,000 keys/s from 1 address %.0f us, "
        "from 100 %.0f us | 1,000 passwords/s %.0f us, %.0f us | target: twice |\n",
        p99[QUIET], p99[KEYS_ONE], p99[KEYS_MANY], p99[PASSWORDS_ONE], p99[PASSWORDS_MANY]);
    (void)printf("{\"bench\":\"central\"");
    for (enum attack attack = QUIET; attack < ATTACKS; attack++) {
        (void)printf(",\"%s_p99_us\":%.1f", names[attack], p99[attack]);
    }
    (void)printf(",\"target_ratio\":2}\n");
    return 0;
}
