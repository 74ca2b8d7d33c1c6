#include "network/network.h"

#include <string.h>

#define KEY       "network/ap_password"
#define MOVES_MAX 4 // states passed in one step

// ---------------------------------------------------------------------------------------------
// The table.

#define SCAN  PW_WIRELESS_SCAN
#define JOIN  PW_WIRELESS_JOIN
#define OPEN  PW_WIRELESS_OPEN
#define LEAVE PW_WIRELESS_LEAVE
#define NONE  NO_ORDER
enum { NO, YES };
enum { NO_ORDER = -1 };

static const struct state_row {
    const char *name;
    int order; // enum pw_wireless_do or NO_ORDER
    pw_ms most;
    bool scans;
} rows[PW_NETWORK_STATE_ROWS] = {
#define STATE_ROW(id, text, order, most, scans) {text, order, most, scans},
    PW_NETWORK_STATES(STATE_ROW)};

_Static_assert(PW_NETWORK_SEARCH_MS + PW_NETWORK_SCAN_MS + PW_NETWORK_KNOWN * PW_NETWORK_JOIN_MS <=
                   PW_NETWORK_FALLBACK_MS,
               "the last round of a search ends in time for the access point");

// ---------------------------------------------------------------------------------------------
// Settings.

static bool is_managed(const struct pw_network *net)
{
    return net->config.port != NULL &&
           pw_settings_int(net->config.settings, PW_SET_NET_MANAGED) != 0;
}

static bool knows_any(const struct pw_network *net)
{
    return net->known[0].ssid[0] != '\0' || net->known[1].ssid[0] != '\0';
}

static void read_known(const struct pw_network *net, struct pw_network_known *known)
{
    static const enum pw_setting_id ids[PW_NETWORK_KNOWN][2] = {
        {PW_SET_NET_SSID1, PW_SET_NET_PASSWORD1}, {PW_SET_NET_SSID2, PW_SET_NET_PASSWORD2}};
    memset(known, 0, PW_NETWORK_KNOWN * sizeof(*known));
    for (size_t i = 0; i < PW_NETWORK_KNOWN; i++) {
        struct pw_out ssid = PW_OUT(known[i].ssid);
        struct pw_out password = PW_OUT(known[i].password);
        if (pw_settings_locked(net->config.settings, ids[i][1])) {
            continue; // without its password it is another network, of whoever calls his so
        }
        pw_put_s(&ssid, pw_settings_text(net->config.settings, ids[i][0]));
        pw_put_s(&password, pw_settings_text(net->config.settings, ids[i][1]));
    }
}

// Which connection does a change concern? Not the one that stands, as long as its own row stays.
static void follow_settings(struct pw_network *net, pw_ms now)
{
    struct pw_network_known known[PW_NETWORK_KNOWN];
    read_known(net, known);
    if (memcmp(known, net->known, sizeof(known)) == 0) {
        return;
    }
    bool stands =
        net->state == PW_NETWORK_JOINED && net->candidate < PW_NETWORK_KNOWN &&
        memcmp(&known[net->candidate], &net->known[net->candidate], sizeof(known[0])) == 0;
    memcpy(net->known, known, sizeof(known));
    if (!stands && net->state > PW_NETWORK_NO_RADIO) {
        net->changed_at = now;
    }
}

// At most 32 bytes, and no character cut in two.
static void name_ap(struct pw_network *net)
{
    struct pw_out out = PW_OUT(net->ap_ssid);
    const char *set = pw_settings_text(net->config.settings, PW_SET_NET_AP_SSID);
    if (set[0] != '\0') {
        pw_put_s(&out, set);
    } else {
        pw_put_s(&out, "Pilotwire-");
        pw_put_s(&out, pw_settings_text(net->config.settings, PW_SET_STATION_ID));
    }
    size_t start = out.len;
    while (out.full && start > 0 && ((uint8_t)net->ap_ssid[start - 1] & 0xC0U) == 0x80U) {
        start--;
    }
    if (out.full && start > 0 && ((uint8_t)net->ap_ssid[start - 1] & 0x80U) != 0) {
        memset(net->ap_ssid + start - 1, 0, sizeof(net->ap_ssid) - start + 1);
    }
}

// ---------------------------------------------------------------------------------------------
// The access point's password.

static void say(const struct pw_network *net, enum pw_level level, const char *event,
                const char *why)
{
    struct pw_line line;
    pw_line(&line, net->config.log, level, "network", event);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

static bool is_password(const char *text, int len)
{
    return len == PW_NETWORK_AP_PASSWORD && memchr(text, '\0', (size_t)len) == NULL;
}

// 31 letters and digits that nobody takes for each other; five bits of a byte choose one, and the
// value over is thrown away, so that each is as likely.
static bool make_password(struct pw_network *net, char *password)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    const struct pw_network_port *port = net->config.port;
    size_t len = 0;
    for (unsigned draws = 0; draws < 8 && len < PW_NETWORK_AP_PASSWORD; draws++) {
        uint8_t bytes[2 * PW_NETWORK_AP_PASSWORD];
        if (port->random(port->context, bytes, sizeof(bytes)) != PW_OK) {
            return false;
        }
        for (size_t i = 0; i < sizeof(bytes) && len < PW_NETWORK_AP_PASSWORD; i++) {
            size_t choice = bytes[i] >> 3U;
            if (choice < sizeof(letters) - 1) {
                password[len++] = letters[choice];
            }
        }
    }
    return len == PW_NETWORK_AP_PASSWORD;
}

static void find_password(struct pw_network *net)
{
    const struct pw_store *store = net->config.store;
    char text[PW_NETWORK_AP_PASSWORD + 1] = "";
    int len = store->get(store->context, PW_STR(KEY), text, sizeof(text));
    if (is_password(text, len)) {
        memcpy(net->ap_password, text, (size_t)len);
        return;
    }
    if (!make_password(net, text)) {
        say(net, PW_LOG_ERROR, "no access point", "the system gave no random numbers");
        return;
    }
    const struct pw_store_change change = {.key = PW_STR(KEY),
                                           .value = {.at = text, .len = PW_NETWORK_AP_PASSWORD}};
    memcpy(net->ap_password, text, PW_NETWORK_AP_PASSWORD);
    if (store->write(store->context, &change, 1) < 0) {
        say(net, PW_LOG_WARN, "password not kept", "the access point's is another one next time");
    }
}

// ---------------------------------------------------------------------------------------------
// Where to go. Nothing here changes anything.

// A search begins anew when the world has changed; a round of a running one does not.
enum search { SAME_SEARCH, NEW_SEARCH, NEW_WINDOW };

struct move {
    bool go;
    enum pw_network_state to;
    const char *why;
    uint8_t candidate;
    enum search search;
};

#define STAY() ((struct move){.go = false})
#define GO(state, reason)                                                                          \
    ((struct move){.go = true, .to = PW_NETWORK_##state, .why = (reason), .candidate = NOBODY})
#define SEARCH(reason)                                                                             \
    ((struct move){.go = true,                                                                     \
                   .to = PW_NETWORK_SCANNING,                                                      \
                   .why = (reason),                                                                \
                   .candidate = NOBODY,                                                            \
                   .search = NEW_SEARCH})
enum { NOBODY = PW_NETWORK_KNOWN };

static bool is_late(const struct pw_network *net, pw_ms now)
{
    return pw_elapsed(net->since, rows[net->state].most, now);
}

static bool has_found(const struct pw_network *net, const char *ssid)
{
    for (size_t i = 0; i < net->found_count; i++) {
        if (strcmp(net->found[i].ssid, ssid) == 0) {
            return true;
        }
    }
    return false;
}

// The known network that the radio is joined to; NOBODY: none of ours, or nothing.
static uint8_t joined_row(const struct pw_network *net)
{
    const struct pw_wireless_facts *facts = &net->facts;
    uint8_t row = 0;
    while (row < PW_NETWORK_KNOWN &&
           (facts->use != PW_WIRELESS_JOINED || net->known[row].ssid[0] == '\0' ||
            strcmp(net->known[row].ssid, facts->ssid) != 0)) {
        row++;
    }
    return row;
}

static struct move open_ap(const struct pw_network *net, const char *why)
{
    return net->ap_password[0] != '\0' ? GO(OPENING, why) : GO(WAITING, why);
}

static struct move end_round(const struct pw_network *net, const char *why, pw_ms now)
{
    if (!knows_any(net)) {
        return open_ap(net, "no network is set");
    }
    return now < net->search_until ? GO(WAITING, why) : open_ap(net, why);
}

// The next known network that is in reach, from row `from` on; without one the round is over.
static struct move try_from(const struct pw_network *net, uint8_t from, const char *why, pw_ms now)
{
    for (uint8_t i = from; i < PW_NETWORK_KNOWN; i++) {
        if (net->known[i].ssid[0] != '\0' && has_found(net, net->known[i].ssid)) {
            struct move move = GO(JOINING, i == 0 ? "the first is in reach" : "the second is");
            move.candidate = i;
            return move;
        }
    }
    return end_round(net, why, now);
}

// The world is whole again: a connection that stands is kept, so that a restart of this program or
// of NetworkManager cuts nobody off.
static struct move begin(const struct pw_network *net)
{
    struct move move = GO(JOINED, "it was joined already");
    if (net->facts.use != PW_WIRELESS_JOINED) {
        return SEARCH("nothing is joined");
    }
    move.candidate = joined_row(net);
    return move.candidate == NOBODY && knows_any(net) ? SEARCH("what is joined is not ours") : move;
}

static struct move from_scanning(const struct pw_network *net, pw_ms now)
{
    if (net->ended && net->end == PW_WIRELESS_SCANNED) {
        return try_from(net, 0, "no known network is in reach", now);
    }
    if (net->ended || is_late(net, now)) {
        return end_round(net, net->ended ? "the scan failed" : "the scan took too long", now);
    }
    return STAY();
}

static const char *join_failure(const struct pw_network *net)
{
    return !net->ended                        ? "it took too long"
           : net->end == PW_WIRELESS_PASSWORD ? "the password is refused"
                                              : "it cannot be joined";
}

static struct move from_joining(const struct pw_network *net, pw_ms now)
{
    const struct pw_wireless_facts *facts = &net->facts;
    if (facts->use == PW_WIRELESS_JOINED && facts->order == net->order.number) {
        struct move move = GO(JOINED, "it has let us in");
        move.candidate = net->candidate;
        return move;
    }
    if (net->ended || is_late(net, now)) {
        return try_from(net, (uint8_t)(net->candidate + 1), join_failure(net), now);
    }
    return STAY();
}

static struct move from_joined(const struct pw_network *net, pw_ms now)
{
    const struct pw_wireless_facts *facts = &net->facts;
    bool ours = net->candidate >= PW_NETWORK_KNOWN ||
                strcmp(facts->ssid, net->known[net->candidate].ssid) == 0;
    if (facts->use == PW_WIRELESS_JOINED && ours) {
        return STAY();
    }
    if (pw_elapsed(net->since, PW_NETWORK_STABLE_MS, now)) {
        return SEARCH("the connection is lost");
    }
    struct move move = GO(WAITING, "the connection is lost again");
    move.search = NEW_WINDOW;
    return move;
}

static struct move from_opening(const struct pw_network *net, pw_ms now)
{
    const struct pw_wireless_facts *facts = &net->facts;
    if (facts->use == PW_WIRELESS_HOST && facts->order == net->order.number) {
        return GO(HOST, net->why);
    }
    if (net->ended || is_late(net, now)) {
        return GO(WAITING, "the access point does not open");
    }
    return STAY();
}

// When the access point closes for a look at what is in reach, as things stand.
static pw_ms look_at(const struct pw_network *net)
{
    pw_ms guests_until = pw_after(net->since, PW_NETWORK_GUEST_MS);
    pw_ms at = net->next_at;
    if (net->facts.guests > 0) {
        at = guests_until;
    } else if (net->used_at != PW_NEVER) {
        pw_ms used = pw_earlier(pw_after(net->used_at, PW_NETWORK_USED_MS), guests_until);
        at = used > at ? used : at;
    }
    at = knows_any(net) ? at : PW_NEVER;
    return pw_earlier(at, pw_after(net->asked_at, PW_NETWORK_ASKED_MS));
}

static struct move from_host(const struct pw_network *net, pw_ms now)
{
    if (net->facts.use != PW_WIRELESS_HOST) {
        return pw_elapsed(net->since, PW_NETWORK_AP_LEAST_MS, now)
                   ? GO(SCANNING, "the access point is gone")
                   : GO(WAITING, "the access point is gone again");
    }
    return now >= look_at(net) ? GO(SCANNING, "a look at what is in reach") : STAY();
}

// A join that was given up may still succeed.
static struct move from_waiting(const struct pw_network *net, pw_ms now)
{
    struct move move = GO(JOINED, "it has let us in at last");
    move.candidate = joined_row(net);
    if (move.candidate != NOBODY) {
        return move;
    }
    return now >= net->next_at || net->asked_at != PW_NEVER ? GO(SCANNING, "the next round")
                                                            : STAY();
}

// What holds in every state; in the first four nothing else does.
static struct move from_outside(const struct pw_network *net)
{
    const struct pw_wireless_facts *facts = &net->facts;
    enum pw_network_state outside = PW_NETWORK_STATE_ROWS;
    const char *why = "";
    if (!is_managed(net)) {
        outside = PW_NETWORK_OFF;
        why = "network.managed is off";
    } else if (!facts->service) {
        outside = PW_NETWORK_ABSENT;
        why = "NetworkManager does not answer";
    } else if (facts->wired) {
        outside = PW_NETWORK_WIRED;
        why = "a cable is connected";
    } else if (!facts->radio) {
        outside = PW_NETWORK_NO_RADIO;
        why = "there is no radio, or it is switched off";
    }
    bool inside = outside == PW_NETWORK_STATE_ROWS;
    if (inside && net->state <= PW_NETWORK_NO_RADIO) {
        return begin(net);
    }
    return inside || outside == net->state
               ? STAY()
               : (struct move){.go = true, .to = outside, .why = why, .candidate = NOBODY};
}

static struct move next(const struct pw_network *net, pw_ms now)
{
    struct move move = from_outside(net);
    if (move.go || net->state <= PW_NETWORK_NO_RADIO) {
        return move;
    }
    if (now >= pw_after(net->changed_at, PW_NETWORK_SETTLE_MS)) {
        return SEARCH("the settings have changed");
    }
    switch (net->state) {
    case PW_NETWORK_SCANNING: return from_scanning(net, now);
    case PW_NETWORK_JOINING: return from_joining(net, now);
    case PW_NETWORK_JOINED: return from_joined(net, now);
    case PW_NETWORK_WAITING: return from_waiting(net, now);
    case PW_NETWORK_OPENING: return from_opening(net, now);
    case PW_NETWORK_HOST: return from_host(net, now);
    case PW_NETWORK_OFF:
    case PW_NETWORK_ABSENT:
    case PW_NETWORK_WIRED:
    case PW_NETWORK_NO_RADIO:
    case PW_NETWORK_STATE_ROWS: break;
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------
// Going there.

static void give_order(struct pw_network *net, enum pw_wireless_do what)
{
    struct pw_wireless_order *order = &net->order;
    const struct pw_network_known own = {.ssid = ""};
    const struct pw_network_known *known =
        net->candidate < PW_NETWORK_KNOWN ? &net->known[net->candidate] : &own;
    uint32_t number = order->number + 1;
    memset(order, 0, sizeof(*order));
    order->number = number;
    order->what = what;
    if (what == PW_WIRELESS_JOIN) {
        memcpy(order->ssid, known->ssid, sizeof(order->ssid));
        memcpy(order->password, known->password, sizeof(order->password));
    } else if (what == PW_WIRELESS_OPEN) {
        memcpy(order->ssid, net->ap_ssid, sizeof(order->ssid));
        memcpy(order->password, net->ap_password, sizeof(net->ap_password));
    }
    net->order_waits = true;
    net->ended = false;
}

static pw_ms least_backoff(const struct pw_network *net)
{
    return (pw_ms)pw_settings_int(net->config.settings, PW_SET_NET_RETRY_MS);
}

static void begin_search(struct pw_network *net, enum search search, pw_ms now)
{
    if (search != SAME_SEARCH) {
        net->search_until = pw_after(now, PW_NETWORK_SEARCH_MS);
    }
    if (search == NEW_SEARCH) {
        net->backoff_ms = least_backoff(net);
    }
}

// How long WAITING and HOST last; each time twice as long as the last.
static void back_off(struct pw_network *net, pw_ms now)
{
    pw_ms least = least_backoff(net);
    pw_ms most = least > PW_NETWORK_RETRY_MOST ? least : PW_NETWORK_RETRY_MOST;
    pw_ms wait = net->backoff_ms;
    if (net->state == PW_NETWORK_HOST && wait < PW_NETWORK_AP_LEAST_MS) {
        wait = PW_NETWORK_AP_LEAST_MS;
    }
    net->next_at = pw_after(now, wait);
    if (net->state == PW_NETWORK_WAITING && now < net->search_until) {
        net->next_at = pw_earlier(net->next_at, net->search_until);
    }
    net->backoff_ms = 2 * net->backoff_ms < most ? 2 * net->backoff_ms : most;
}

static void say_move(const struct pw_network *net, const struct move *move)
{
    struct pw_line line;
    pw_line(&line, net->config.log, PW_LOG_INFO, "network", "state");
    pw_line_s(&line, "from", rows[net->state].name);
    pw_line_s(&line, "to", rows[move->to].name);
    pw_line_s(&line, "why", move->why);
    if (move->candidate < PW_NETWORK_KNOWN) {
        pw_line_s(&line, "ssid", net->known[move->candidate].ssid);
    }
    if (net->ended && net->end_why[0] != '\0') {
        pw_line_s(&line, "said", net->end_why);
    }
    pw_line_end(&line);
}

// The one place where the state changes.
static void enter(struct pw_network *net, struct move move, pw_ms now)
{
    say_move(net, &move);
    if (net->state == PW_NETWORK_JOINING && move.to != PW_NETWORK_JOINED) {
        memcpy(net->failed_ssid, net->order.ssid, sizeof(net->failed_ssid));
        net->failed_why = join_failure(net);
    }
    if (move.to == PW_NETWORK_JOINED) {
        net->failed_ssid[0] = '\0';
        net->failed_why = "";
    }
    net->state = move.to;
    net->why = move.why;
    net->since = now;
    net->candidate = move.candidate;
    net->ended = false;
    begin_search(net, move.search, now);
    if (move.to == PW_NETWORK_SCANNING) {
        net->asked_at = PW_NEVER;
    }
    if (move.search == NEW_SEARCH || move.to <= PW_NETWORK_NO_RADIO) {
        net->changed_at = PW_NEVER;
    }
    if (move.to == PW_NETWORK_HOST) {
        net->used_at = PW_NEVER;
    }
    if (move.to == PW_NETWORK_WAITING || move.to == PW_NETWORK_HOST) {
        back_off(net, now);
    }
    if (rows[move.to].order != NO_ORDER) {
        give_order(net, (enum pw_wireless_do)rows[move.to].order);
    }
}

static pw_ms deadline(const struct pw_network *net)
{
    pw_ms at = net->state > PW_NETWORK_NO_RADIO ? pw_after(net->changed_at, PW_NETWORK_SETTLE_MS)
                                                : PW_NEVER;
    if (rows[net->state].most > 0) {
        at = pw_earlier(at, pw_after(net->since, rows[net->state].most));
    }
    if (net->state == PW_NETWORK_WAITING) {
        at = pw_earlier(at, net->next_at);
    }
    if (net->state == PW_NETWORK_HOST) {
        at = pw_earlier(at, look_at(net));
    }
    return at;
}

// ---------------------------------------------------------------------------------------------

void pw_network_init(struct pw_network *net, const struct pw_network_config *config, pw_ms now)
{
    memset(net, 0, sizeof(*net));
    net->config = *config;
    net->why = is_managed(net) ? "just started" : "network.managed is off";
    net->failed_why = "";
    net->since = now;
    net->candidate = NOBODY;
    net->found_at = PW_NEVER;
    net->asked_at = PW_NEVER;
    net->changed_at = PW_NEVER;
    net->used_at = PW_NEVER;
    net->facts.signal = PW_WIRELESS_UNKNOWN;
    net->facts.guests = PW_WIRELESS_UNKNOWN;
    net->backoff_ms = least_backoff(net);
    if (is_managed(net)) {
        name_ap(net);
        find_password(net);
        read_known(net, net->known);
    }
}

void pw_network_facts(struct pw_network *net, const struct pw_wireless_facts *facts)
{
    net->facts = *facts;
}

void pw_network_found(struct pw_network *net, const struct pw_wireless_found *found, size_t count,
                      pw_ms now)
{
    net->found_count = 0;
    for (size_t i = 0; i < count && i < PW_WIRELESS_FOUND_MAX; i++) {
        net->found[net->found_count++] = found[i];
    }
    net->found_at = now;
}

void pw_network_ended(struct pw_network *net, uint32_t number, enum pw_wireless_end end,
                      struct pw_str why)
{
    if (number != net->order.number) {
        return;
    }
    struct pw_out out = PW_OUT(net->end_why);
    net->end_why[0] = '\0';
    pw_put(&out, why);
    net->ended = true;
    net->end = end;
}

void pw_network_used(struct pw_network *net, pw_ms now)
{
    net->used_at = now;
}

int pw_network_scan(struct pw_network *net, struct pw_out *why, pw_ms now)
{
    switch (net->state) {
    case PW_NETWORK_OFF:
    case PW_NETWORK_ABSENT:
    case PW_NETWORK_NO_RADIO: pw_put_s(why, net->why); return PW_ERR_BUSY;
    case PW_NETWORK_SCANNING:
    case PW_NETWORK_JOINING:
    case PW_NETWORK_OPENING: pw_put_s(why, "the radio is busy: ask again"); return PW_ERR_BUSY;
    case PW_NETWORK_WIRED:
        if (!net->facts.radio) {
            pw_put_s(why, "there is no radio, or it is switched off");
            return PW_ERR_BUSY;
        }
        break;
    case PW_NETWORK_JOINED:
    case PW_NETWORK_WAITING:
    case PW_NETWORK_HOST:
    case PW_NETWORK_STATE_ROWS: break;
    }
    net->asked_at = now;
    return PW_OK;
}

pw_ms pw_network_step(struct pw_network *net, pw_ms now)
{
    if (!is_managed(net) && net->state == PW_NETWORK_OFF) {
        return PW_NEVER;
    }
    follow_settings(net, now);
    for (unsigned i = 0; i < MOVES_MAX; i++) {
        struct move move = next(net, now);
        if (!move.go) {
            break;
        }
        enter(net, move, now);
    }
    if (net->asked_at != PW_NEVER && rows[net->state].scans) {
        net->asked_at = PW_NEVER;
        give_order(net, PW_WIRELESS_SCAN);
    }
    return deadline(net);
}

bool pw_network_take_order(struct pw_network *net, struct pw_wireless_order *order)
{
    if (!net->order_waits) {
        return false;
    }
    *order = net->order;
    net->order_waits = false;
    return true;
}

void pw_network_view(const struct pw_network *net, struct pw_network_view *view)
{
    const struct pw_wireless_facts *facts = &net->facts;
    bool joined = net->state == PW_NETWORK_JOINED;
    bool host = net->state == PW_NETWORK_HOST;
    bool wired = net->state == PW_NETWORK_WIRED;
    *view = (struct pw_network_view){
        .managed = is_managed(net),
        .state = net->state,
        .state_name = rows[net->state].name,
        .why = net->why,
        .since = net->since,
        .connected = joined || wired,
        .ap = host,
        .ssid = joined ? facts->ssid : "",
        .signal = joined ? facts->signal : PW_WIRELESS_UNKNOWN,
        .ip = joined || wired || host ? facts->address : "",
        .ap_ssid = net->ap_ssid,
        .guests = host ? facts->guests : PW_WIRELESS_UNKNOWN,
        .failed_ssid = net->failed_ssid,
        .failed_why = net->failed_why,
        .found_at = net->found_at,
        .found_count = net->found_count,
        .found = net->found,
        .known = net->known,
    };
}

const char *pw_network_ap_password(const struct pw_network *net)
{
    return net->ap_password;
}
