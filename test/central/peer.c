#include "peer.h"

#define PEERS_MAX 8
#define KEY       "sixteen-or-more-1"

// The wires of one bench.
static struct peer *all[PEERS_MAX];
static struct pw_central_wires wires;

static struct peer *peer_at(uint64_t wire)
{
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (all[i] != NULL && all[i]->wire == wire) {
            return all[i];
        }
    }
    return NULL;
}

static int wire_send(void *context, uint64_t wire, const uint8_t *bytes, size_t len)
{
    struct peer *peer = peer_at(wire);
    (void)context;
    if (peer == NULL) {
        return PW_OK;
    }
    if (peer->full) {
        return PW_ERR_LIMIT;
    }
    if (!peer->deaf) {
        assert_true(peer->len + len <= PEER_BYTES);
        memcpy(peer->bytes + peer->len, bytes, len);
        peer->len += len;
    }
    return PW_OK;
}

static void wire_close(void *context, uint64_t wire)
{
    struct peer *peer = peer_at(wire);
    (void)context;
    if (peer != NULL) {
        peer->closed = true;
    }
}

static bool wire_certificate(void *context, uint64_t wire, struct pw_central_certificate *to)
{
    const struct peer *peer = peer_at(wire);
    (void)context;
    if (peer == NULL || peer->certificate == NULL) {
        return false;
    }
    *to = *peer->certificate;
    return true;
}

void peer_make(struct peer *peer, struct bench *bench, const char *id, uint64_t boot)
{
    char made[PW_CENTRAL_KEY_MAX];
    memset(peer, 0, sizeof(*peer));
    peer->bench = bench;
    peer->text = PW_STR("");
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (all[i] == NULL || all[i]->bench != bench || i + 1 == PEERS_MAX) {
            all[i] = peer;
            break;
        }
    }
    if (bench->config.wires == NULL) {
        for (size_t i = 0; i < PEERS_MAX; i++) {
            all[i] = i == 0 ? peer : NULL;
        }
        wires = (struct pw_central_wires){
            .send = wire_send, .close = wire_close, .certificate = wire_certificate};
        bench->config.wires = &wires;
        bench_restart(bench);
    }
    if (station_find(bench->central, pw_str_of(id)) == NULL) {
        assert_int_equal(pw_central_station_add(bench->central, pw_str_of(id), PW_STR(KEY), true,
                                                made, bench->at),
                         PW_OK);
    }
    const struct pw_link_identity who = {.id = pw_str_of(id),
                                         .key = PW_STR(KEY),
                                         .firmware = PW_STR("1.2.3"),
                                         .vendor = PW_STR("Pilotwire"),
                                         .model = PW_STR("AC station"),
                                         .connectors = 1,
                                         .boot = boot};
    pw_link_station_init(&peer->end, &who, (uint32_t)boot, bench->at.now);
    pw_link_blank(&pw_link_snapshot_rows, &peer->snapshot);
    pw_link_blank(&pw_link_connector_rows, &peer->connector);
    peer->snapshot.schema = PW_LINK_SCHEMA;
    peer->snapshot.boot = boot;
    peer->connector.id = 1;
    peer->connector.kind = PW_STR("pilot");
    peer->connector.status = PW_STR("Available");
    peer->connector.error_code = PW_STR("NoError");
    peer->connector.age_ms = 0;
}

static void answer(struct peer *peer)
{
    struct pw_link_message message;
    while (!peer->silent && pw_link_station_next(&peer->end, &message, peer->bench->at.now)) {
        struct pw_out id_tag = PW_OUT(peer->id_tag);
        struct pw_out reason = PW_OUT(peer->reason);
        peer->requests++;
        peer->type = message.type;
        if (message.type == PW_LINK_GET_ALL) {
            assert_int_equal(pw_link_station_snapshot(&peer->end, &peer->snapshot, &peer->connector,
                                                      1, peer->bench->at.now),
                             PW_OK);
            continue;
        }
        if (peer->firmware != NULL && message.type >= PW_LINK_FW_BEGIN) {
            peer->firmware(peer, &message);
            continue;
        }
        if (message.type == PW_LINK_SET_LIMIT) {
            peer->limit = message.as.set_limit;
            pw_put(&reason, message.as.set_limit.reason);
        } else {
            peer->energize = message.as.energize;
            pw_put(&id_tag, message.as.energize.id_tag);
        }
        pw_link_station_answer(&peer->end, peer->code, peer->text, peer->bench->at.now);
    }
    if (pw_link_station_snapshot_due(&peer->end, peer->bench->at.now)) {
        assert_int_equal(pw_link_station_snapshot(&peer->end, &peer->snapshot, &peer->connector, 1,
                                                  peer->bench->at.now),
                         PW_OK);
    }
}

static bool to_station(struct peer *peer)
{
    if (peer->len == 0 || peer->wire == 0) {
        return false;
    }
    size_t taken = pw_link_station_bytes(&peer->end, peer->bytes, peer->len, peer->bench->at.now);
    peer->len -= taken;
    memmove(peer->bytes, peer->bytes + taken, peer->len);
    return taken > 0;
}

static bool to_central(struct peer *peer)
{
    struct pw_str out = pw_link_station_out(&peer->end);
    if (out.len == 0 || peer->wire == 0) {
        return false;
    }
    uint8_t copy[PW_LINK_STATION_TX];
    assert_true(out.len <= sizeof(copy));
    memcpy(copy, out.at, out.len);
    pw_link_station_out_sent(&peer->end, out.len, peer->bench->at.now);
    if (!peer->deaf) {
        pw_central_wire_bytes(peer->bench->central, peer->wire, copy, out.len, peer->bench->at);
    }
    return true;
}

void peer_cut(struct peer *peer)
{
    uint64_t wire = peer->wire;
    peer->wire = 0;
    peer->len = 0;
    peer->closed = false;
    peer->deaf = false;
    if (wire != 0) {
        pw_central_wire_closed(peer->bench->central, wire, peer->bench->at);
    }
    pw_link_station_down(&peer->end, peer->bench->at.now);
}

// True when anything moved.
static bool turn(struct peer *peer, pw_ms *next)
{
    struct bench *bench = peer->bench;
    bool wants = pw_link_station_wants(&peer->end, bench->at.now);
    if (peer->wire != 0 && !peer->deaf && (peer->closed || !wants)) {
        peer_cut(peer);
        return true;
    }
    if (peer->wire == 0 && wants) {
        peer->wire = ++bench->links;
        if (!pw_central_wire_opened(bench->central, peer->wire, pw_str_of(bench->address),
                                    bench->at)) {
            peer->wire = 0;
            pw_link_station_down(&peer->end, bench->at.now);
            return true;
        }
        pw_link_station_up(&peer->end, bench->at.now);
    }
    *next = pw_earlier(*next, pw_link_station_step(&peer->end, bench->at.now));
    bool moved = to_station(peer);
    answer(peer);
    return to_central(peer) || moved;
}

void peers_pass(struct peer *const *peers, size_t count, pw_ms span)
{
    struct bench *bench = peers[0]->bench;
    pw_ms end = bench->at.now + span;
    for (;;) {
        pw_ms next = pw_central_step(bench->central, bench->at);
        bool moved = false;
        for (size_t i = 0; i < count; i++) {
            moved = turn(peers[i], &next) || moved;
        }
        if (moved) {
            continue;
        }
        if (bench->at.now >= end) {
            return;
        }
        pw_ms to = pw_earlier(next, end);
        to = to > bench->at.now ? to : bench->at.now + 1;
        bench->at.wall += (pw_unix_ms)(to - bench->at.now);
        bench->at.now = to;
    }
}

void peer_pass(struct peer *peer, pw_ms span)
{
    peers_pass(&peer, 1, span);
}

void peer_tell(struct peer *peer, enum pw_link_event_kind kind, int64_t value, const char *text)
{
    struct pw_link_happening what = {.at = peer->bench->at.now,
                                     .wall = peer->bench->at.wall,
                                     .value = value,
                                     .kind = (uint8_t)kind,
                                     .connector = 1};
    struct pw_out out = PW_OUT(what.text);
    pw_put_s(&out, text);
    pw_link_station_event(&peer->end, &what);
}
