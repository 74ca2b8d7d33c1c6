// A central system that says anything, to a whole station. The input is lines, the first letter is
// what happens:
//   A<Action> <payload>  a CALL        R<payload>  the answer to the station's open CALL
//   E<code>              its refusal   X<text>     any text as a message
//   C<tag>               a card        t<n>        n times 100 ms
//   u, d                 the link is up, down      b  a restart that lost nothing, p  a power cut
// Whatever comes: a CALL is answered once, with its id; what the station sends is OCPP by the rows;
// no secret is in it; and it can be stepped on.
#include "simstore.h"
#include "station.h"

#include <stdlib.h>
#include <string.h>

#define KEY  "a-very-secret-key"
#define WALL INT64_C(1735731000000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct pw_station station;
static struct pw_sim_store disk;
static struct pw_settings settings;
static struct pw_json_node nodes[16384];
static char spare[PW_CP16_OUT_MAX];
static char call[70000];
static char open_id[PW_OCPP_ID_BYTES + 1]; // of the station's CALL; "": none
static unsigned asked;                     // ids of our calls
static bool answered;                      // the last of our calls was
static bool knows;                         // the key was told by ourselves
static pw_ms now;

static void quiet(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context, (void)level, (void)room, (void)text;
}

static void set(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    int err = pw_settings_find(pw_str_of(path), &at);
    PW_ASSERT(err == PW_OK);
    err = pw_settings_set(&settings, at, pw_str_of(value), by, &why);
    PW_ASSERT(err == PW_OK);
}

static void configure(void)
{
    pw_settings_init(&settings);
    set("station.id", "FUZZ", PW_BY_FILE);
    set("ocpp.url", "ws://127.0.0.1/ocpp", PW_BY_FILE);
    set("ocpp.authorization_key", KEY, PW_BY_SECRETS);
    set("connectors[0].kind", "pilot", PW_BY_FILE);
    set("connectors[0].board", "board.yaml", PW_BY_FILE);
    set("connectors[1].kind", "openevse", PW_BY_FILE);
    set("connectors[1].rapi_cable", "tcp:127.0.0.1:1", PW_BY_FILE);
}

static void start(void)
{
    static const struct pw_log log = {.write = quiet};
    const struct pw_station_start with = {.settings = &settings,
                                          .store = &disk.port,
                                          .log = &log,
                                          .firmware = "1",
                                          .seed = 1,
                                          .now = now,
                                          .wall = WALL};
    int err = pw_station_init(&station, &with);
    PW_ASSERT(err == PW_OK);
    open_id[0] = '\0';
}

static bool holds(struct pw_str text, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.at + i, what, len) == 0) {
            return true;
        }
    }
    return false;
}

// A CALL of the station: by the rows. It is the one that waits for its answer; an earlier one has
// been answered or given up.
static void judge_call(const struct pw_ocpp_frame *frame)
{
    static uint64_t req[512];
    struct pw_ocpp_fault fault;
    int action = pw_ocpp16_action_find(frame->action);
    PW_ASSERT(action >= 0 && pw_str_eq(frame->id, pw_ocpp_rpc_id(&station.cp16.rpc)));
    const struct pw_ocpp_object *rows = pw_ocpp16_actions[action].req;
    PW_ASSERT((pw_ocpp16_actions[action].sender & PW_OCPP16_FROM_STATION) != 0 &&
              rows->size <= sizeof(req));
    int err = pw_ocpp_decode(rows, frame->payload, 0, req, &fault);
    PW_ASSERT(err == PW_OK);
    err = pw_str_copy(open_id, sizeof(open_id), frame->id);
    PW_ASSERT(err == PW_OK);
}

static void hear(void)
{
    struct pw_str text = pw_station_out(&station);
    struct pw_json json = {.node = nodes,
                           .cap = sizeof(nodes) / sizeof(nodes[0]),
                           .spare = spare,
                           .spare_cap = sizeof(spare)};
    struct pw_ocpp_frame frame;
    struct pw_ocpp_fault fault;
    if (text.len == 0) {
        return;
    }
    PW_ASSERT(knows || !holds(text, KEY));
    int err = pw_ocpp_frame_read(&json, text, &frame, &fault);
    PW_ASSERT(err == PW_OK);
    if (frame.kind == PW_OCPP_CALL) {
        judge_call(&frame);
    } else {
        PW_ASSERT(!answered);
        answered = true;
    }
    pw_station_out_sent(&station, now);
}

// The station's turn, as its program does it.
static void turn(void)
{
    for (unsigned i = 0; i < 50; i++) {
        pw_ms next = pw_station_step(&station, now);
        bool open = open_id[0] != '\0';
        hear();
        if (station.cp16.speaking == NULL) {
            open_id[0] = '\0'; // it gave up waiting
        }
        if (next > now && !(open_id[0] != '\0' && !open)) {
            return;
        }
    }
}

static void say(struct pw_str text)
{
    hear();
    answered = false;
    while (pw_station_text(&station, text, now) == PW_ERR_AGAIN) {
        hear();
    }
    if (station.cp16.speaking == NULL) {
        open_id[0] = '\0';
    }
    turn();
}

static void say_call(struct pw_str line)
{
    struct pw_out out = PW_OUT(call);
    struct pw_str action = pw_str_cut(&line, ' ');
    pw_put_s(&out, "[2,\"f");
    pw_put_uint(&out, ++asked);
    pw_put_s(&out, "\",\"");
    pw_put(&out, action);
    pw_put_s(&out, "\",");
    pw_put(&out, line.len > 0 ? line : PW_STR("{}"));
    pw_put_c(&out, ']');
    if (pw_out_err(&out) == PW_OK && !holds(line, "\"f")) {
        knows = knows || holds(line, KEY);
        say(pw_out_str(&out));
    }
}

static void say_answer(struct pw_str line, bool error)
{
    struct pw_out out = PW_OUT(call);
    pw_put_s(&out, error ? "[4,\"" : "[3,\"");
    pw_put_s(&out, open_id);
    pw_put_s(&out, error ? "\",\"" : "\",");
    pw_put(&out, line);
    pw_put_s(&out, error ? "\",\"\",{}]" : "]");
    if (open_id[0] != '\0' && pw_out_err(&out) == PW_OK) {
        say(pw_out_str(&out));
    }
}

static void restart(bool cut)
{
    disk.keep_pending = !cut;
    pw_sim_store_restart(&disk);
    configure();
    now += 1000;
    start();
}

static void wait_some(struct pw_str line)
{
    int64_t count = 0;
    if (pw_parse_int(line, 1, 20000, &count) != PW_OK) {
        return;
    }
    pw_ms until = now + (pw_ms)count * 100;
    while (now < until) {
        pw_ms next = pw_station_step(&station, now);
        turn();
        now = next > now && next < until ? next : until;
    }
}

static void take_line(struct pw_str line)
{
    char what = line.len > 0 ? line.at[0] : ' ';
    struct pw_str rest = {.at = line.at + 1, .len = line.len > 0 ? line.len - 1 : 0};
    switch (what) {
    case 'A': say_call(rest); break;
    case 'R': say_answer(rest, false); break;
    case 'E': say_answer(rest, true); break;
    case 'X':
        knows = knows || holds(rest, KEY);
        answered = false;
        say(rest);
        break;
    case 'C': pw_station_card(&station, 0, rest, now); break;
    case 't': wait_some(rest); break;
    case 'u':
        if (station.cp16.link == PW_CP16_LINK_DOWN) {
            pw_station_link_up(&station, now);
        }
        break;
    case 'd':
        if (station.cp16.link == PW_CP16_LINK_UP) {
            pw_station_link_down(&station, PW_STR("cut"), now);
            open_id[0] = '\0';
        }
        break;
    case 'b': restart(false); break;
    case 'p': restart(true); break;
    default: break;
    }
    turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pw_str text = {.at = (const char *)bytes, .len = len};
    now = 1000;
    knows = false;
    configure();
    pw_sim_store_init(&disk);
    start();
    for (unsigned lines = 0; text.len > 0 && lines < 200; lines++) {
        take_line(pw_str_cut(&text, '\n'));
    }
    pw_sim_store_free(&disk);
    return 0;
}
