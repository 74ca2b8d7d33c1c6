// A setting's round trip: a person's client publishes set_breaker, the broker brings it to the
// station, the station checks, applies, keeps and echoes it, the broker brings the echo back. A
// real mosquitto on loopback, two connections of ours in one loop. Beside it, for scale, what the
// same broker takes to bring the same client its own message: the difference is the station.
#include "mqtt/mqtt.h"

#include "mqtt/wire.h"
#include "simstore.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIPS = 150, REST_MS = 120, LONGEST_S = 90 };

struct figures {
    double took_us[TRIPS];
    size_t count;
};

static struct {
    struct pw_loop loop;
    struct pw_clock clock;
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_station station;
    struct pw_mqtt mqtt;
    struct pw_mqtt_wire *wire;
    struct pw_mqtt_wire *person;
    bool ready;
    pw_ms next;
    bool waits;
    bool bare; // what is under way
    uint64_t sent_ns;
    struct figures setting;
    struct figures echo;
} rig;

static uint64_t now_ns(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right ? 1 : 0;
}

static double at_us(const struct figures *figures, size_t permille)
{
    size_t index = figures->count * permille / 1000;
    return figures->took_us[index < figures->count ? index : figures->count - 1];
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "mqtt: %s\n", what);
    exit(1);
}

static void set(const char *path, const char *value)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    if (pw_settings_find(pw_str_of(path), &at) != PW_OK ||
        pw_settings_set(&rig.settings, at, pw_str_of(value), PW_BY_FILE, &why) != PW_OK) {
        fail(path);
    }
}

static void quiet(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context, (void)level, (void)room, (void)text;
}

static void open_station(void)
{
    static const struct pw_log log = {.write = quiet};
    pw_settings_init(&rig.settings);
    set("station.id", "B1");
    set("connectors[0].kind", "openevse");
    pw_sim_store_init(&rig.disk);
    const struct pw_station_start start = {.settings = &rig.settings,
                                           .store = &rig.disk.port,
                                           .log = &log,
                                           .firmware = "1",
                                           .seed = 1,
                                           .now = pw_clock_now(&rig.clock)};
    if (pw_station_init(&rig.station, &start) != PW_OK) {
        fail("the station does not start");
    }
    const struct pw_mqtt_config config = {.station = &rig.station, .log = &log, .version = "1"};
    pw_mqtt_init(&rig.mqtt, &config, pw_clock_now(&rig.clock));
}

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        fail("no port is to be had");
    }
    (void)close(fd);
    return ntohs(at.sin_port);
}

static pid_t start_broker(int port)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", port);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setenv("PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execlp("mosquitto", "mosquitto", "-p", number, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static struct pw_mqtt_wire *open_wire(int port, const char *id)
{
    char url[64];
    char text[160] = "";
    struct pw_out why = PW_OUT(text);
    (void)snprintf(url, sizeof(url), "mqtt://127.0.0.1:%d", port);
    const struct pw_mqtt_wire_config config = {.url = url,
                                               .client_id = id,
                                               .username = "",
                                               .password = "",
                                               .ca_file = "",
                                               .will = {.topic = "", .payload = ""},
                                               .seed = 1};
    struct pw_mqtt_wire *wire = pw_mqtt_wire_open(&rig.loop, &config, &why);
    if (wire == NULL) {
        fail(text);
    }
    return wire;
}

static void subscribe(void)
{
    char text[PW_BROKER_TOPIC_MAX];
    struct pw_out filter = PW_OUT(text);
    int err = pw_mqtt_wire_subscribe(rig.person, PW_STR("bench/echo"));
    if (err == PW_OK) {
        err = pw_mqtt_wire_subscribe(rig.person, PW_STR("Dinamics/B1/breaker"));
    }
    for (unsigned n = 0; err == PW_OK && pw_mqtt_subscription(&rig.mqtt, n, &filter); n++) {
        err = pw_mqtt_wire_subscribe(rig.wire, pw_out_str(&filter));
        filter = PW_OUT(text);
    }
    if (err != PW_OK) {
        fail("a topic is refused");
    }
}

// As app/station/mqtt.c.
static void serve_station(pw_ms now)
{
    struct pw_broker_message message;
    struct pw_str reason;
    if (pw_mqtt_wire_news(rig.wire, &reason) == PW_MQTT_WIRE_UP) {
        pw_mqtt_up(&rig.mqtt, now);
    }
    (void)pw_station_step(&rig.station, now);
    while (pw_mqtt_has_room(&rig.mqtt) && pw_mqtt_wire_take(rig.wire, &message)) {
        pw_mqtt_message(&rig.mqtt, &message, now);
    }
    (void)pw_mqtt_step(&rig.mqtt, now);
    while (pw_mqtt_wire_has_room(rig.wire, PW_BROKER_TOPIC_MAX + PW_BROKER_OUT_MAX) &&
           pw_mqtt_take(&rig.mqtt, &message, now)) {
        (void)!pw_mqtt_wire_send(rig.wire, &message);
    }
}

static void begin_trip(pw_ms now)
{
    char value[8];
    rig.bare = rig.echo.count <= rig.setting.count;
    (void)snprintf(value, sizeof(value), "%zu", 10 + rig.setting.count);
    const struct pw_broker_message message = {.topic = rig.bare ? PW_STR("bench/echo")
                                                                : PW_STR("Dinamics/B1/set_breaker"),
                                              .payload = pw_str_of(value)};
    rig.sent_ns = now_ns();
    rig.waits = pw_mqtt_wire_send(rig.person, &message) == PW_OK;
    rig.next = pw_after(now, REST_MS / 2);
}

static void serve_person(pw_ms now)
{
    struct pw_broker_message message;
    struct pw_str reason;
    if (pw_mqtt_wire_news(rig.person, &reason) == PW_MQTT_WIRE_UP) {
        rig.ready = true;
        rig.next = pw_after(now, 1000); // both have subscribed by then
    }
    while (pw_mqtt_wire_take(rig.person, &message)) {
        struct figures *to = rig.bare ? &rig.echo : &rig.setting;
        bool ours = pw_str_is(message.topic, rig.bare ? "bench/echo" : "Dinamics/B1/breaker");
        if (rig.waits && ours && to->count < TRIPS) {
            to->took_us[to->count++] = (double)(now_ns() - rig.sent_ns) / 1000.0;
            rig.waits = false;
        }
    }
    if (rig.ready && !rig.waits && now >= rig.next) {
        begin_trip(now);
    }
}

static pw_ms turn(void *context, pw_ms now)
{
    (void)context;
    serve_station(now);
    serve_person(now);
    if (rig.setting.count == TRIPS || now > LONGEST_S * 1000U) {
        pw_loop_end(&rig.loop);
    }
    return pw_after(now, 5);
}

static void print(void)
{
    qsort(rig.setting.took_us, rig.setting.count, sizeof(double), by_size);
    qsort(rig.echo.took_us, rig.echo.count, sizeof(double), by_size);
    double ratio = at_us(&rig.setting, 500) / at_us(&rig.echo, 500);
    (void)printf(
        "| MQTT setting, published to echoed | p50 %.0f us | p99 %.0f us | the broker's own "
        "echo p50 %.0f us, %.1fx | |\n",
        at_us(&rig.setting, 500), at_us(&rig.setting, 990), at_us(&rig.echo, 500), ratio);
    (void)printf("{\"bench\":\"mqtt\",\"trips\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,"
                 "\"echo_p50_us\":%.1f,\"echo_p99_us\":%.1f,\"ratio\":%.2f}\n",
                 rig.setting.count, at_us(&rig.setting, 500), at_us(&rig.setting, 990),
                 at_us(&rig.echo, 500), at_us(&rig.echo, 990), ratio);
}

int main(void)
{
    int port = free_port();
    pid_t broker = start_broker(port);
    if (broker < 0 || pw_clock_init(&rig.clock, NULL) != PW_OK ||
        pw_loop_init(&rig.loop, &rig.clock) != PW_OK) {
        fail("no process or loop is to be had");
    }
    open_station();
    rig.wire = open_wire(port, "station");
    rig.person = open_wire(port, "person");
    subscribe();
    pw_loop_on_turn(&rig.loop, turn, NULL);
    pw_loop_run(&rig.loop);
    pw_mqtt_wire_close(rig.person);
    pw_mqtt_wire_close(rig.wire);
    pw_loop_close(&rig.loop);
    (void)kill(broker, SIGTERM);
    (void)waitpid(broker, NULL, 0);
    pw_sim_store_free(&rig.disk);
    if (rig.setting.count < TRIPS) {
        fail("the settings were not echoed in time");
    }
    print();
    return 0;
}
