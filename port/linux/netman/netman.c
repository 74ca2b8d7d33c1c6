#include "netman/netman.h"

#include "netman/guests.h"
#include "netman/profile.h"
#include "netman/snapshot.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "org.freedesktop.NetworkManager"
#define MANAGER "/org/freedesktop/NetworkManager"

#define AGAIN_MS   10000    // until a bus or service that is away is tried again
#define REFRESH_MS 300      // what changes in quick succession is read once
#define IDLE_MS    30000    // read anew although nothing was said
#define GUESTS_MS  5000     // between two counts of who is joined
#define CALL_US    15000000 // an answer that takes longer will not come; real time
#define SCAN_MS    1000     // a scan that was refused is asked for again
#define BLIND_MS   4000     // a scan of a service that does not tell when one is over
#define MOST       64       // messages in one turn

enum { REASON_NO_SECRETS = 7, REASON_SUPPLICANT = 8, REASON_NOT_FOUND = 53 }; // NMDeviceStateReason

// How far the order is.
enum stage {
    RESTING,    // there is none, or it is done
    CLEARING,   // SCAN: the radio gives up what it is at
    ASKING,     // SCAN: due at `stage_at`
    SCANNING,   // SCAN: under way
    STARTING,   // JOIN, OPEN: due
    ACTIVATING, // ... asked for
    WATCHING,   // ... and on its way
    LEAVING,    // LEAVE: due
};

struct pw_netman {
    struct pw_loop *loop;
    const struct pw_log *log;
    struct pw_netman_sink sink;
    sd_bus *bus;
    struct pw_watch watch;
    pw_ms open_at;
    bool quiet; // what is wrong with the bus or the service has been said
    pw_ms now;  // of the step

    struct nm_snapshot snapshot;
    bool service;         // the snapshot is good
    bool fresh;           // ... and was asked for after the order's connection was made
    bool changed;         // something was said since it was asked for
    pw_ms read_at;        // the next reading
    sd_bus_slot *reading; // under way
    struct pw_wireless_facts told;
    bool tell; // the facts may differ from those told

    struct pw_wireless_order order;
    enum stage stage;
    pw_ms stage_at;
    sd_bus_slot *call;        // of the order
    char active[NM_PATH_MAX]; // the connection that it made; "" none
    uint32_t active_order;    // whose that is
    int64_t last_scan;        // before the scan
    uint32_t reason;          // why the radio last failed
    int16_t guests;
    pw_ms guests_at;
};

static void say(const struct pw_netman *netman, enum pw_level level, const char *event,
                const char *why)
{
    struct pw_line line;
    pw_line(&line, netman->log, level, "netman", event);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

// What is wrong, once until it is right again.
static void say_once(struct pw_netman *netman, const char *event, const char *why)
{
    if (!netman->quiet) {
        say(netman, PW_LOG_WARN, event, why);
    }
    netman->quiet = true;
}

// The last word of a D-Bus error's name: what it says beside may name a secret.
static const char *error_word(sd_bus_message *message)
{
    const sd_bus_error *error = sd_bus_message_get_error(message);
    const char *dot = error != NULL && error->name != NULL ? strrchr(error->name, '.') : NULL;
    return dot != NULL ? dot + 1 : "no answer";
}

// ---------------------------------------------------------------------------------------------
// The order's end.

static void end_order(struct pw_netman *netman, enum pw_wireless_end end, const char *why)
{
    netman->stage = RESTING;
    netman->sink.ended(netman->sink.context, netman->order.number, end, pw_str_of(why));
}

static void fail_order(struct pw_netman *netman, const char *why)
{
    if (netman->stage != RESTING && netman->order.what != PW_WIRELESS_LEAVE) {
        end_order(netman, PW_WIRELESS_FAILED, why);
    }
    netman->stage = RESTING;
}

static void drop_call(struct pw_netman *netman)
{
    netman->call = sd_bus_slot_unref(netman->call);
}

static void look_soon(struct pw_netman *netman)
{
    netman->changed = true;
    netman->read_at = pw_earlier(netman->read_at, pw_after(netman->now, REFRESH_MS));
}

// What was asked for before this moment does not count any more.
static void look_anew(struct pw_netman *netman)
{
    netman->reading = sd_bus_slot_unref(netman->reading);
    netman->changed = true;
    netman->read_at = netman->now;
}

// ---------------------------------------------------------------------------------------------
// The service.

static void lose_service(struct pw_netman *netman, const char *why)
{
    say_once(netman, "no NetworkManager", why);
    netman->service = false;
    netman->tell = true;
    netman->active[0] = '\0';
    netman->reading = sd_bus_slot_unref(netman->reading);
    netman->read_at = pw_after(netman->now, AGAIN_MS);
    drop_call(netman);
    fail_order(netman, why);
}

static int on_snapshot(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct pw_netman *netman = context;
    (void)error;
    netman->reading = sd_bus_slot_unref(netman->reading);
    if (sd_bus_message_is_method_error(message, NULL)) {
        lose_service(netman, error_word(message));
        return 0;
    }
    if (!nm_snapshot_read(&netman->snapshot, message)) {
        lose_service(netman, "its answer is not understood");
        return 0;
    }
    if (!netman->service) {
        say(netman, PW_LOG_INFO, "NetworkManager", "it answers");
    }
    netman->quiet = false;
    netman->service = true;
    netman->fresh = true;
    netman->tell = true;
    netman->read_at = pw_after(netman->now, netman->changed ? (pw_ms)REFRESH_MS : (pw_ms)IDLE_MS);
    return 0;
}

static void read_snapshot(struct pw_netman *netman)
{
    netman->changed = false;
    netman->read_at = pw_after(netman->now, IDLE_MS);
    sd_bus_message *message = NULL;
    int err =
        sd_bus_message_new_method_call(netman->bus, &message, SERVICE, "/org/freedesktop",
                                       "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    if (err >= 0) {
        // Asking must not start a service that its owner has switched off.
        err = sd_bus_message_set_auto_start(message, 0);
    }
    if (err >= 0) {
        err =
            sd_bus_call_async(netman->bus, &netman->reading, message, on_snapshot, netman, CALL_US);
    }
    sd_bus_message_unref(message);
    if (err < 0) {
        netman->read_at = pw_after(netman->now, AGAIN_MS);
    }
}

// Why the radio failed is said in the signal alone: the property has moved on when it is read.
static int on_signal(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct pw_netman *netman = context;
    uint32_t now = 0;
    uint32_t before = 0;
    uint32_t reason = 0;
    (void)error;
    look_soon(netman);
    if (sd_bus_message_is_signal(message, SERVICE ".Device", "StateChanged") > 0 &&
        sd_bus_message_read(message, "uuu", &now, &before, &reason) > 0 && now == NM_FAILED) {
        const struct nm_device *radio = nm_snapshot_radio(&netman->snapshot);
        const char *path = sd_bus_message_get_path(message);
        if (radio != NULL && path != NULL && strcmp(path, radio->path) == 0) {
            netman->reason = reason;
        }
    }
    return 0;
}

static int on_owner(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct pw_netman *netman = context;
    const char *name = NULL;
    const char *before = NULL;
    const char *owner = NULL;
    (void)error;
    if (sd_bus_message_read(message, "sss", &name, &before, &owner) <= 0) {
        return 0;
    }
    if (owner[0] == '\0') {
        lose_service(netman, "it has left the bus");
    } else {
        look_anew(netman);
    }
    return 0;
}

// ---------------------------------------------------------------------------------------------
// The bus.

static void on_ready(void *context, unsigned events)
{
    (void)context; // the turn that follows does the work
    (void)events;
}

static void close_bus(struct pw_netman *netman, const char *why)
{
    lose_service(netman, why);
    pw_watch_end(&netman->watch);
    netman->bus = sd_bus_close_unref(netman->bus);
    netman->open_at = pw_after(netman->now, AGAIN_MS);
}

static void open_bus(struct pw_netman *netman)
{
    static const struct {
        const char *rule;
        sd_bus_message_handler_t heard;
    } matches[] = {
        {"type='signal',sender='" SERVICE "',path_namespace='" MANAGER "'", on_signal},
        {"type='signal',sender='" SERVICE "',interface='org.freedesktop.DBus.ObjectManager'",
         on_signal},
        {"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" SERVICE "'",
         on_owner},
    };
    netman->open_at = pw_after(netman->now, AGAIN_MS);
    int err = sd_bus_open_system(&netman->bus);
    if (err < 0) {
        netman->bus = NULL;
        say_once(netman, "no system bus", strerror(-err));
        return;
    }
    for (size_t i = 0; i < PW_COUNT(matches) && err >= 0; i++) {
        err = sd_bus_add_match_async(netman->bus, NULL, matches[i].rule, matches[i].heard, NULL,
                                     netman);
    }
    int fd = sd_bus_get_fd(netman->bus);
    if (err < 0 || fd < 0) {
        netman->bus = sd_bus_close_unref(netman->bus);
        say_once(netman, "no system bus", strerror(err < 0 ? -err : -fd));
        return;
    }
    pw_watch_start(&netman->watch, netman->loop, fd, PW_LOOP_READ, PW_LOOP_NETWORK);
    netman->changed = true;
    netman->read_at = netman->now;
}

// True: there may be more.
static bool process_bus(struct pw_netman *netman)
{
    for (unsigned i = 0; i < MOST; i++) {
        int more = sd_bus_process(netman->bus, NULL);
        if (more < 0) {
            close_bus(netman, strerror(-more));
            return false;
        }
        if (more == 0) {
            return false;
        }
    }
    return true;
}

static void watch_bus(struct pw_netman *netman)
{
    int events = sd_bus_get_events(netman->bus);
    if (events < 0) {
        close_bus(netman, strerror(-events));
        return;
    }
    unsigned wanted = (events & POLLIN) != 0 ? PW_LOOP_READ : 0U;
    pw_watch_change(&netman->watch, wanted | ((events & POLLOUT) != 0 ? PW_LOOP_WRITE : 0U));
}

// ---------------------------------------------------------------------------------------------
// Facts.

static void find_use(const struct pw_netman *netman, const struct nm_device *radio,
                     struct pw_wireless_facts *facts)
{
    const struct nm_snapshot *snapshot = &netman->snapshot;
    facts->radio = true;
    if (radio->state != NM_ACTIVATED) {
        return;
    }
    bool ours = netman->active[0] != '\0' && strcmp(netman->active, radio->active) == 0;
    const struct nm_point *point = nm_snapshot_point(snapshot, radio->point);
    facts->use = radio->mode == NM_MODE_AP ? PW_WIRELESS_HOST : PW_WIRELESS_JOINED;
    facts->order = ours ? netman->active_order : 0;
    if (point != NULL) {
        memcpy(facts->ssid, point->ssid, sizeof(facts->ssid));
    }
    if (facts->use == PW_WIRELESS_JOINED) {
        facts->signal = point != NULL ? point->strength : PW_WIRELESS_UNKNOWN;
    } else {
        facts->guests = netman->guests;
    }
    (void)!pw_str_copy(facts->address, sizeof(facts->address),
                       pw_str_of(nm_snapshot_address(snapshot, radio->address)));
}

static void find_facts(const struct pw_netman *netman, struct pw_wireless_facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    facts->service = netman->service;
    facts->signal = PW_WIRELESS_UNKNOWN;
    facts->guests = PW_WIRELESS_UNKNOWN;
    const struct nm_device *radio = nm_snapshot_radio(&netman->snapshot);
    if (netman->service && radio != NULL) {
        find_use(netman, radio, facts);
    }
    for (size_t i = 0; netman->service && i < netman->snapshot.devices; i++) {
        const struct nm_device *device = &netman->snapshot.device[i];
        if (device->type != NM_ETHERNET || device->state != NM_ACTIVATED) {
            continue;
        }
        facts->wired = true;
        if (facts->address[0] == '\0') {
            (void)!pw_str_copy(facts->address, sizeof(facts->address),
                               pw_str_of(nm_snapshot_address(&netman->snapshot, device->address)));
        }
    }
}

static bool are_same(const struct pw_wireless_facts *a, const struct pw_wireless_facts *b)
{
    return a->service == b->service && a->wired == b->wired && a->radio == b->radio &&
           a->use == b->use && a->order == b->order && strcmp(a->ssid, b->ssid) == 0 &&
           a->signal == b->signal && a->guests == b->guests && strcmp(a->address, b->address) == 0;
}

static void tell_facts(struct pw_netman *netman)
{
    struct pw_wireless_facts facts;
    netman->tell = false;
    find_facts(netman, &facts);
    if (!are_same(&facts, &netman->told)) {
        netman->told = facts;
        netman->sink.facts(netman->sink.context, &facts);
    }
}

static void count_guests(struct pw_netman *netman)
{
    bool host = netman->service && netman->told.use == PW_WIRELESS_HOST;
    const struct nm_device *radio = nm_snapshot_radio(&netman->snapshot);
    if (!host || radio == NULL) {
        netman->guests = PW_WIRELESS_UNKNOWN;
        netman->guests_at = netman->now;
        return;
    }
    if (netman->now >= netman->guests_at) {
        netman->guests = pw_netman_guests(radio->interface);
        netman->guests_at = pw_after(netman->now, GUESTS_MS);
        netman->tell = true;
    }
}

// ---------------------------------------------------------------------------------------------
// Orders.

static int call_device(struct pw_netman *netman, const char *interface, const char *member,
                       sd_bus_message_handler_t answer)
{
    const struct nm_device *radio = nm_snapshot_radio(&netman->snapshot);
    sd_bus_message *message = NULL;
    if (radio == NULL) {
        return -ENODEV;
    }
    int err = sd_bus_message_new_method_call(netman->bus, &message, SERVICE, radio->path, interface,
                                             member);
    if (err >= 0 && strcmp(member, "RequestScan") == 0) {
        err = sd_bus_message_append(message, "a{sv}", 0);
    }
    if (err >= 0) {
        drop_call(netman);
        err = sd_bus_call_async(netman->bus, &netman->call, message, answer, netman, CALL_US);
    }
    sd_bus_message_unref(message);
    return err;
}

// Being disconnected already is no failure.
static int on_left(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct pw_netman *netman = context;
    (void)message;
    (void)error;
    drop_call(netman);
    look_anew(netman);
    return 0;
}

static void leave(struct pw_netman *netman, enum stage then)
{
    netman->active[0] = '\0';
    netman->stage = then;
    netman->stage_at = PW_NEVER;
    if (call_device(netman, SERVICE ".Device", "Disconnect", on_left) < 0) {
        fail_order(netman, "the radio is gone");
    }
}

static void tell_found(struct pw_netman *netman)
{
    struct pw_wireless_found found[PW_WIRELESS_FOUND_MAX];
    size_t count = nm_snapshot_found(&netman->snapshot, found);
    netman->sink.found(netman->sink.context, found, count, netman->now);
    end_order(netman, PW_WIRELESS_SCANNED, "");
}

// NetworkManager refuses a scan soon after another one: what that one found is good enough.
static int on_scan_asked(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct pw_netman *netman = context;
    (void)error;
    drop_call(netman);
    if (netman->stage != SCANNING) {
        return 0;
    }
    bool refused = sd_bus_message_is_method_error(message, NULL) > 0;
    if (refused && netman->snapshot.points > 0) {
        tell_found(netman);
        return 0;
    }
    netman->stage = refused ? ASKING : SCANNING;
    netman->stage_at = pw_after(netman->now, refused ? (pw_ms)SCAN_MS : (pw_ms)BLIND_MS);
    return 0;
}

static void ask_scan(struct pw_netman *netman, const struct nm_device *radio)
{
    netman->last_scan = radio->last_scan;
    netman->stage = SCANNING;
    netman->stage_at = PW_NEVER;
    if (call_device(netman, SERVICE ".Device.Wireless", "RequestScan", on_scan_asked) < 0) {
        fail_order(netman, "the scan cannot be asked for");
    }
}

static int on_activated(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct pw_netman *netman = context;
    const char *profile = NULL;
    const char *active = NULL;
    (void)error;
    drop_call(netman);
    if (sd_bus_message_is_method_error(message, NULL) > 0) {
        fail_order(netman, error_word(message));
    } else if (sd_bus_message_read(message, "oo", &profile, &active) <= 0 ||
               pw_str_copy(netman->active, sizeof(netman->active), pw_str_of(active)) != PW_OK) {
        fail_order(netman, "the answer is not understood");
    } else {
        netman->active_order = netman->order.number;
        netman->stage = WATCHING;
        netman->fresh = false;
        look_anew(netman);
    }
    return 0;
}

static int send_profile(struct pw_netman *netman, const struct nm_device *radio)
{
    const struct nm_point *point = nm_snapshot_named(&netman->snapshot, netman->order.ssid);
    sd_bus_message *message = NULL;
    int err = sd_bus_message_new_method_call(netman->bus, &message, SERVICE, MANAGER, SERVICE,
                                             "AddAndActivateConnection2");
    if (err >= 0) {
        err = sd_bus_message_sensitive(message); // wiped when it is freed
    }
    if (err >= 0) {
        err = nm_profile_append(message, &netman->order, radio->path,
                                point != NULL && point->sae_only);
    }
    if (err >= 0) {
        drop_call(netman);
        err = sd_bus_call_async(netman->bus, &netman->call, message, on_activated, netman, CALL_US);
    }
    sd_bus_message_unref(message);
    return err;
}

static void activate(struct pw_netman *netman, const struct nm_device *radio)
{
    netman->active[0] = '\0';
    netman->reason = 0;
    netman->stage = ACTIVATING;
    int err = send_profile(netman, radio);
    explicit_bzero(netman->order.password, sizeof(netman->order.password));
    if (err < 0) {
        fail_order(netman, strerror(-err));
    }
}

// A connection that was asked for: up, on its way, or over.
static void watch_active(struct pw_netman *netman)
{
    const struct nm_active *active = nm_snapshot_active(&netman->snapshot, netman->active);
    if (!netman->fresh) {
        return;
    }
    if (active != NULL && active->state < NM_ACTIVE_DEACTIVATING) {
        netman->stage = active->state == NM_ACTIVE_ACTIVATED ? RESTING : WATCHING;
        return;
    }
    netman->active[0] = '\0';
    switch (netman->reason) {
    case REASON_NO_SECRETS:
    case REASON_SUPPLICANT:
        end_order(netman, PW_WIRELESS_PASSWORD, "authentication failed");
        return;
    case REASON_NOT_FOUND: end_order(netman, PW_WIRELESS_FAILED, "not in reach"); return;
    default: end_order(netman, PW_WIRELESS_FAILED, "the connection ended"); return;
    }
}

static void begin_scan(struct pw_netman *netman, const struct nm_device *radio)
{
    bool joined = radio->state == NM_ACTIVATED && radio->mode != NM_MODE_AP;
    if (joined || radio->state == NM_DISCONNECTED || radio->state == NM_FAILED) {
        ask_scan(netman, radio);
    } else if (netman->stage == ASKING) {
        leave(netman, CLEARING);
    }
}

// One step of the order, as far as the snapshot lets it.
static void work(struct pw_netman *netman)
{
    const struct nm_device *radio = nm_snapshot_radio(&netman->snapshot);
    bool due = netman->now >= netman->stage_at;
    if (!netman->service || radio == NULL) {
        fail_order(netman, netman->service ? "there is no radio" : "there is no NetworkManager");
        return;
    }
    switch (netman->stage) {
    case RESTING:
    case ACTIVATING: return;
    case CLEARING: begin_scan(netman, radio); return;
    case ASKING:
        if (due) {
            begin_scan(netman, radio);
        }
        return;
    case SCANNING:
        if (radio->tells_scan ? radio->last_scan != netman->last_scan : due) {
            tell_found(netman);
        }
        return;
    case STARTING: activate(netman, radio); return;
    case WATCHING: watch_active(netman); return;
    case LEAVING:
        netman->stage = RESTING;
        if (radio->state >= NM_PREPARE) {
            leave(netman, RESTING);
        }
        return;
    }
}

// ---------------------------------------------------------------------------------------------

struct pw_netman *pw_netman_open(struct pw_loop *loop, const struct pw_log *log,
                                 const struct pw_netman_sink *sink)
{
    struct pw_netman *netman = calloc(1, sizeof(*netman));
    if (netman == NULL) {
        return NULL;
    }
    netman->loop = loop;
    netman->log = log;
    netman->sink = *sink;
    netman->watch.ready = on_ready;
    netman->guests = PW_WIRELESS_UNKNOWN;
    netman->stage_at = PW_NEVER;
    netman->tell = true;
    return netman;
}

void pw_netman_close(struct pw_netman *netman)
{
    if (netman == NULL) {
        return;
    }
    netman->call = sd_bus_slot_unref(netman->call);
    netman->reading = sd_bus_slot_unref(netman->reading);
    pw_watch_end(&netman->watch);
    sd_bus_close_unref(netman->bus);
    explicit_bzero(&netman->order, sizeof(netman->order));
    free(netman);
}

void pw_netman_order(struct pw_netman *netman, const struct pw_wireless_order *order)
{
    static const enum stage first[] = {[PW_WIRELESS_SCAN] = ASKING,
                                       [PW_WIRELESS_JOIN] = STARTING,
                                       [PW_WIRELESS_OPEN] = STARTING,
                                       [PW_WIRELESS_LEAVE] = LEAVING};
    drop_call(netman);
    netman->order = *order;
    netman->stage = first[order->what];
    netman->stage_at = netman->now;
}

static pw_ms deadline(const struct pw_netman *netman)
{
    if (netman->bus == NULL) {
        return netman->open_at;
    }
    pw_ms at = netman->read_at;
    if (netman->stage == ASKING || netman->stage == SCANNING) {
        at = pw_earlier(at, netman->stage_at);
    }
    if (netman->told.use == PW_WIRELESS_HOST) {
        at = pw_earlier(at, netman->guests_at);
    }
    // The bus keeps its own time for answers that do not come.
    return netman->call != NULL || netman->reading != NULL
               ? pw_earlier(at, pw_after(netman->now, AGAIN_MS))
               : at;
}

pw_ms pw_netman_step(struct pw_netman *netman, pw_ms now)
{
    bool more = false;
    netman->now = now;
    if (netman->bus == NULL && now >= netman->open_at) {
        open_bus(netman);
    }
    if (netman->bus != NULL) {
        more = process_bus(netman);
    }
    if (netman->bus != NULL && netman->reading == NULL && now >= netman->read_at) {
        read_snapshot(netman);
    }
    work(netman);
    count_guests(netman);
    if (netman->tell) {
        tell_facts(netman);
    }
    if (netman->bus != NULL) {
        watch_bus(netman);
    }
    return more ? now : deadline(netman);
}
