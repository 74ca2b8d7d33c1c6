#include "reservations/reservations.h"

#include <string.h>

static const struct pw_str key = {.at = "reservations", .len = 12};

enum { VERSION = 1, RECORD_MAX = 1 + PW_RESERVATIONS_MAX * (4 + 1 + 8 + 2 * PW_TAG_SIZE) };

// ---------------------------------------------------------------------------------------------
// The record: all of them, one after the other; texts have their room whole.

static struct pw_str pack(const struct pw_reservations *r, uint8_t to[RECORD_MAX])
{
    struct pw_bin_out pack = {.cap = RECORD_MAX};
    pack.at = to;
    pw_bin_put(&pack, VERSION, 1);
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        const struct pw_reservation *row = &r->row[i];
        if (row->expires != 0) {
            pw_bin_put(&pack, (uint32_t)row->id, 4);
            pw_bin_put(&pack, row->connector, 1);
            pw_bin_put(&pack, (uint64_t)row->expires, 8);
            pw_bin_put_bytes(&pack, row->id_tag, PW_TAG_SIZE);
            pw_bin_put_bytes(&pack, row->parent, PW_TAG_SIZE);
        }
    }
    return pw_bin_str(&pack);
}

static bool unpack(struct pw_reservations *r, struct pw_bin_in *from)
{
    if (pw_bin_get(from, 1) != VERSION) {
        return false;
    }
    for (size_t i = 0; i < PW_RESERVATIONS_MAX && from->left > 0; i++) {
        struct pw_reservation *row = &r->row[i];
        row->id = (int32_t)(uint32_t)pw_bin_get(from, 4);
        row->connector = (uint8_t)pw_bin_get(from, 1);
        row->expires = (pw_unix_ms)pw_bin_get(from, 8);
        pw_bin_get_bytes(from, row->id_tag, PW_TAG_SIZE);
        pw_bin_get_bytes(from, row->parent, PW_TAG_SIZE);
        if (row->id_tag[PW_TAG_SIZE - 1] != '\0' || row->parent[PW_TAG_SIZE - 1] != '\0') {
            return false;
        }
        if (row->connector > r->connectors) {
            row->expires = 0; // of a connector that the file no longer has
        }
    }
    return pw_bin_end(from);
}

static void say(const struct pw_reservations *r, enum pw_level level, const char *event,
                const struct pw_reservation *row, const char *why)
{
    struct pw_line line;
    pw_line(&line, r->log, level, "reservations", event);
    if (row != NULL) {
        pw_line_int(&line, "id", row->id);
        pw_line_int(&line, "connector", row->connector);
    }
    if (why[0] != '\0') {
        pw_line_s(&line, "why", why);
    }
    pw_line_end(&line);
}

// The ticket, or the store's error; then the next step tries again.
static int64_t keep(struct pw_reservations *r)
{
    uint8_t bytes[RECORD_MAX];
    const struct pw_store_change change = {.key = key, .value = pack(r, bytes)};
    int64_t ticket = r->store->write(r->store->context, &change, 1);
    r->dirty = ticket < 0;
    return ticket;
}

int pw_reservations_init(struct pw_reservations *reservations, const struct pw_settings *settings,
                         unsigned connectors, const struct pw_store *store,
                         const struct pw_log *log, pw_ms now)
{
    uint8_t bytes[RECORD_MAX];
    *reservations = (struct pw_reservations){.settings = settings,
                                             .store = store,
                                             .log = log,
                                             .connectors = connectors,
                                             .started_at = now};
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        reservations->place[i] = PW_PLACE_FAULTED; // until somebody says better
    }
    int len = store->get(store->context, key, (char *)bytes, sizeof(bytes));
    if (len == PW_ERR_UNKNOWN) {
        return PW_OK;
    }
    if (len == PW_ERR_STORE) {
        return len;
    }
    struct pw_bin_in from = {.at = bytes, .left = len > 0 ? (size_t)len : 0};
    if (!unpack(reservations, &from)) {
        memset(reservations->row, 0, sizeof(reservations->row));
        say(reservations, PW_LOG_ERROR, "record-damaged", NULL, "");
    }
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Who keeps what free.

static bool is_of(const struct pw_reservation *row, unsigned connector)
{
    return row->expires != 0 && row->connector == connector;
}

// The reservation of this very connector, or NULL.
static const struct pw_reservation *row_of(const struct pw_reservations *r, unsigned connector)
{
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        if (is_of(&r->row[i], connector)) {
            return &r->row[i];
        }
    }
    return NULL;
}

// Reservations of any connector whose holders are not at one yet.
static unsigned open_ones(const struct pw_reservations *r)
{
    unsigned count = 0;
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        count += is_of(&r->row[i], 0) && r->claimed[i] == 0 ? 1 : 0;
    }
    return count;
}

// Free connectors that are nobody's, this one left out (0: none).
static unsigned free_without(const struct pw_reservations *r, unsigned connector)
{
    unsigned count = 0;
    for (unsigned i = 1; i <= r->connectors; i++) {
        count += i != connector && r->place[i - 1] == PW_PLACE_FREE && row_of(r, i) == NULL ? 1 : 0;
    }
    return count;
}

static bool is_same(const char *a, struct pw_str b)
{
    return a[0] != '\0' && pw_str_eq_nocase(pw_str_of(a), b);
}

static enum pw_reservations_leave leave_by(const struct pw_reservation *row, struct pw_str id_tag,
                                           const char *parent)
{
    if (is_same(row->id_tag, id_tag) ||
        (parent != NULL && is_same(row->parent, pw_str_of(parent)))) {
        return PW_LEAVE_OWN;
    }
    return parent == NULL && row->parent[0] != '\0' ? PW_LEAVE_PARENT : PW_LEAVE_OTHER;
}

enum pw_reservations_leave pw_reservations_leave(const struct pw_reservations *reservations,
                                                 unsigned connector, struct pw_str id_tag,
                                                 const char *parent, int32_t *id)
{
    const struct pw_reservation *own = row_of(reservations, connector);
    enum pw_reservations_leave best = PW_LEAVE_OTHER;
    *id = 0;
    if (own != NULL) {
        *id = own->id;
        return leave_by(own, id_tag, parent);
    }
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        const struct pw_reservation *row = &reservations->row[i];
        enum pw_reservations_leave leave =
            is_of(row, 0) ? leave_by(row, id_tag, parent) : PW_LEAVE_OTHER;
        if (leave < best) {
            best = leave;
            *id = row->id;
        }
    }
    // A group that is only perhaps its own does not need to be asked where strangers may charge;
    // the reservation then stays, as that card's id alone does not use it.
    bool strangers = free_without(reservations, connector) >= open_ones(reservations);
    return best == PW_LEAVE_OWN ? best : strangers ? PW_LEAVE_FREE : best;
}

bool pw_reservations_shown(const struct pw_reservations *reservations, unsigned connector)
{
    return row_of(reservations, connector) != NULL ||
           free_without(reservations, connector) < open_ones(reservations);
}

// ---------------------------------------------------------------------------------------------
// Taking one.

static enum pw_reservations_answer answer_of(enum pw_reservations_place place)
{
    switch (place) {
    case PW_PLACE_FREE: return PW_RESERVE_ACCEPTED;
    case PW_PLACE_PLUGGED:
    case PW_PLACE_OCCUPIED: return PW_RESERVE_OCCUPIED;
    case PW_PLACE_FAULTED: return PW_RESERVE_FAULTED;
    case PW_PLACE_UNAVAILABLE: return PW_RESERVE_UNAVAILABLE;
    }
    PW_UNREACHABLE();
}

// Of all connectors what stands least in the way: in use, out of service, faulted.
static enum pw_reservations_answer answer_for_any(const struct pw_reservations *r)
{
    enum pw_reservations_answer answer = PW_RESERVE_FAULTED;
    if (free_without(r, 0) > open_ones(r)) {
        return PW_RESERVE_ACCEPTED;
    }
    for (unsigned i = 0; i < r->connectors; i++) {
        switch (answer_of(r->place[i])) {
        case PW_RESERVE_ACCEPTED: // free, and promised to somebody
        case PW_RESERVE_OCCUPIED: return PW_RESERVE_OCCUPIED;
        case PW_RESERVE_UNAVAILABLE: answer = PW_RESERVE_UNAVAILABLE; break;
        case PW_RESERVE_FAULTED:
        case PW_RESERVE_REJECTED: break;
        }
    }
    return answer;
}

static enum pw_reservations_answer answer_for(const struct pw_reservations *r, unsigned connector)
{
    if (connector == 0) {
        return answer_for_any(r);
    }
    enum pw_reservations_answer answer = answer_of(r->place[connector - 1]);
    bool promised = row_of(r, connector) != NULL || free_without(r, connector) < open_ones(r);
    return answer == PW_RESERVE_ACCEPTED && promised ? PW_RESERVE_OCCUPIED : answer;
}

static size_t slot_for(const struct pw_reservations *r, int32_t id)
{
    size_t slot = PW_RESERVATIONS_MAX;
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        if (r->row[i].expires != 0 && r->row[i].id == id) {
            return i;
        }
        slot = slot == PW_RESERVATIONS_MAX && r->row[i].expires == 0 ? i : slot;
    }
    return slot;
}

enum pw_reservations_answer pw_reservations_take(struct pw_reservations *reservations,
                                                 const struct pw_reservation *wish, pw_unix_ms wall,
                                                 int64_t *ticket)
{
    const struct pw_settings *settings = reservations->settings;
    size_t slot = slot_for(reservations, wish->id);
    *ticket = 0;
    if (pw_settings_int(settings, PW_SET_RESERVE_ENABLED) == 0 || wish->expires <= wall ||
        wish->connector > reservations->connectors ||
        (wish->connector == 0 && pw_settings_int(settings, PW_SET_RESERVE_ANY) == 0)) {
        return PW_RESERVE_REJECTED;
    }
    if (slot == PW_RESERVATIONS_MAX) {
        return PW_RESERVE_OCCUPIED;
    }
    struct pw_reservation old = reservations->row[slot];
    reservations->row[slot].expires = 0;
    enum pw_reservations_answer answer = answer_for(reservations, wish->connector);
    // Its holder is on his way already: as long as it stays his connector, its terms may change.
    if (old.expires != 0 && old.connector == wish->connector &&
        reservations->claimed[slot] == old.connector && old.connector != 0) {
        answer = PW_RESERVE_ACCEPTED;
    }
    reservations->row[slot] = old;
    if (answer != PW_RESERVE_ACCEPTED) {
        return answer;
    }
    reservations->row[slot] = *wish;
    *ticket = keep(reservations);
    if (*ticket < 0) {
        reservations->row[slot] = old;
        return PW_RESERVE_REJECTED;
    }
    say(reservations, PW_LOG_INFO, "reserved", wish, old.expires != 0 ? "replaced" : "");
    return answer;
}

// ---------------------------------------------------------------------------------------------
// How one ends.

static int64_t end(struct pw_reservations *r, size_t slot, const char *why)
{
    say(r, PW_LOG_INFO, "ended", &r->row[slot], why);
    r->row[slot] = (struct pw_reservation){.expires = 0};
    r->claimed[slot] = 0;
    return keep(r);
}

int64_t pw_reservations_cancel(struct pw_reservations *reservations, int32_t id)
{
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        if (reservations->row[i].expires != 0 && reservations->row[i].id == id) {
            return end(reservations, i, "cancelled");
        }
    }
    return PW_ERR_UNKNOWN;
}

void pw_reservations_used(struct pw_reservations *reservations, int32_t id)
{
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        if (reservations->row[i].expires != 0 && reservations->row[i].id == id) {
            (void)end(reservations, i, "used");
        }
    }
}

void pw_reservations_claim(struct pw_reservations *reservations, int32_t id, unsigned connector)
{
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        if (reservations->row[i].expires != 0 && reservations->row[i].id == id) {
            reservations->claimed[i] = (uint8_t)connector;
        }
    }
}

void pw_reservations_unclaim(struct pw_reservations *reservations, unsigned connector)
{
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        reservations->claimed[i] =
            reservations->claimed[i] == connector ? 0 : reservations->claimed[i];
    }
}

static bool is_gone(enum pw_reservations_place place)
{
    return place == PW_PLACE_FAULTED || place == PW_PLACE_UNAVAILABLE;
}

// Its connector, or every one, cannot be used.
static bool is_lost(const struct pw_reservations *r, const struct pw_reservation *row)
{
    if (row->connector != 0) {
        return is_gone(r->place[row->connector - 1]);
    }
    for (unsigned i = 0; i < r->connectors; i++) {
        if (!is_gone(r->place[i])) {
            return false;
        }
    }
    return true;
}

pw_ms pw_reservations_step(struct pw_reservations *reservations,
                           const enum pw_reservations_place *place, pw_unix_ms wall, pw_ms now)
{
    pw_ms at = PW_NEVER;
    bool settled = pw_elapsed(reservations->started_at, PW_RESERVATIONS_SETTLE_MS, now);
    memcpy(reservations->place, place, reservations->connectors * sizeof(*place));
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        const struct pw_reservation *row = &reservations->row[i];
        if (row->expires == 0) {
            continue;
        }
        if (wall != 0 && wall >= row->expires) {
            (void)end(reservations, i, "expired");
        } else if (settled && is_lost(reservations, row)) {
            (void)end(reservations, i, "its connector cannot be used");
        } else {
            at = pw_earlier(at, wall != 0 ? pw_after(now, (pw_ms)(row->expires - wall)) : PW_NEVER);
            at =
                settled
                    ? at
                    : pw_earlier(at, pw_after(reservations->started_at, PW_RESERVATIONS_SETTLE_MS));
        }
    }
    if (reservations->dirty) {
        (void)keep(reservations);
    }
    return at;
}
