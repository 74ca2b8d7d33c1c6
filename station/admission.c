// Who may charge, and who may end a charge: what cards, remote starts and people ask for, by the
// rules of tags and reservations.
#include "parts.h"

#include <string.h>

enum { ENDS_NONE = 0, ENDS_ANY = UINT8_MAX }; // struct pw_admission.ends

// ---------------------------------------------------------------------------------------------
// What a connector is to somebody who wants to charge there.

static struct pw_session *session_of(struct pw_station *st, unsigned index)
{
    return pw_connector_session(&st->connector[index]);
}

static bool is_waiting(const struct pw_session *session)
{
    enum pw_session_status status = pw_session_status(session);
    return session->phase == PW_PHASE_PLUGGED && status != PW_STATUS_FAULTED &&
           status != PW_STATUS_UNAVAILABLE;
}

static bool is_free(const struct pw_session *session)
{
    enum pw_session_status status = pw_session_status(session);
    return session->phase == PW_PHASE_IDLE &&
           (status == PW_STATUS_AVAILABLE || status == PW_STATUS_RESERVED);
}

// Nobody came to its vehicle in time: no card at the reader means it, but who names it may begin.
static bool is_abandoned(const struct pw_session *session)
{
    return session->abandoned && pw_session_status(session) == PW_STATUS_FINISHING;
}

static bool is_startable(struct pw_station *st, unsigned index)
{
    const struct pw_session *session = session_of(st, index);
    return !st->stopping && (is_waiting(session) || is_free(session) || is_abandoned(session));
}

static bool is_in_use(const struct pw_session *session)
{
    return pw_session_in_transaction(session) || session->phase == PW_PHASE_AUTHORISED;
}

// The group of a card, as far as it is known here; NULL: not at all.
static const char *known_parent(struct pw_station *st, struct pw_str id_tag, struct pw_tag *known)
{
    pw_unix_ms wall = pw_cp16_wall(&st->cp16, st->now);
    return pw_tags_find(&st->tags, id_tag, wall, known) == PW_TAGS_NOWHERE ? NULL : known->parent;
}

// Which connector a card without a number means: the first of these.
enum rank { KEPT_AND_WAITING, WAITING, KEPT, FREE, ASK_AND_WAITING, ASK, NOT };

static enum rank rank(struct pw_station *st, unsigned index, struct pw_str id_tag,
                      const char *parent)
{
    bool waiting = is_waiting(session_of(st, index));
    int32_t id = 0;
    if (st->stopping || !(waiting || is_free(session_of(st, index)))) {
        return NOT;
    }
    switch (pw_reservations_leave(&st->reservations, index + 1, id_tag, parent, &id)) {
    case PW_LEAVE_OWN: return waiting ? KEPT_AND_WAITING : KEPT;
    case PW_LEAVE_FREE: return waiting ? WAITING : FREE;
    case PW_LEAVE_PARENT: return waiting ? ASK_AND_WAITING : ASK;
    case PW_LEAVE_OTHER: break;
    }
    return NOT;
}

int pw_charge_choose(struct pw_station *st, struct pw_str id_tag, unsigned *index)
{
    struct pw_tag known;
    const char *parent = known_parent(st, id_tag, &known);
    enum rank best = NOT;
    for (unsigned i = 0; i < st->connectors; i++) {
        enum rank here = rank(st, i, id_tag, parent);
        if (here < best) {
            best = here;
            *index = i;
        }
    }
    return best == NOT ? PW_ERR_BUSY : PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Beginning and ending.

// The card is good; what is reserved counts too.
static int start(struct pw_station *st, unsigned index, const struct pw_tag *card,
                 enum pw_session_start by, pw_ms now)
{
    int32_t id = 0;
    struct pw_str id_tag = pw_str_of(card->id_tag);
    enum pw_reservations_leave leave =
        pw_reservations_leave(&st->reservations, index + 1, id_tag, card->parent, &id);
    if (leave != PW_LEAVE_OWN && leave != PW_LEAVE_FREE) {
        pw_charge_say(st, PW_LOG_INFO, index, "card-refused", PW_STR("reserved for another"));
        return PW_ERR_BUSY;
    }
    int err = pw_session_authorise(session_of(st, index), id_tag, by, now);
    if (err != PW_OK) {
        pw_charge_say(st, PW_LOG_INFO, index, "card-too-late", PW_STR("the connector is busy"));
        return err;
    }
    memcpy(st->extra[index].admission.parent, card->parent, PW_TAG_SIZE);
    if (leave == PW_LEAVE_OWN) {
        pw_reservations_claim(&st->reservations, id, index + 1);
    }
    return PW_OK;
}

static bool is_same_group(const char *a, const char *b)
{
    return a[0] != '\0' && pw_str_eq_nocase(pw_str_of(a), pw_str_of(b));
}

// Ends a charge that somebody of the card's group began (OCPP 1.6 §3.10).
static bool end_of_group(struct pw_station *st, unsigned ends, const struct pw_tag *card, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        if ((ends == ENDS_ANY || ends == i + 1) && is_in_use(session_of(st, i)) &&
            is_same_group(st->extra[i].admission.parent, card->parent) &&
            pw_session_stop(session_of(st, i), PW_REASON_LOCAL, pw_str_of(card->id_tag), now) ==
                PW_OK) {
            return true;
        }
    }
    return false;
}

// The card is accepted; `card` has its group.
static int admit(struct pw_station *st, unsigned index, const struct pw_tag *card, pw_ms now)
{
    const struct pw_admission *admission = &st->extra[index].admission;
    if (end_of_group(st, admission->ends, card, now)) {
        return PW_OK;
    }
    if (!is_startable(st, index)) {
        pw_charge_say(st, PW_LOG_INFO, index, "card-too-late", PW_STR("the connector is busy"));
        return PW_ERR_BUSY;
    }
    return start(st, index, card, admission->by, now);
}

// What is known of a card decides, or the central system, which is asked.
static int present(struct pw_station *st, unsigned index, struct pw_str id_tag, pw_ms now)
{
    struct pw_tag card;
    bool online = pw_cp16_online(&st->cp16);
    enum pw_tags_verdict verdict =
        pw_tags_decide(&st->tags, id_tag, online, pw_cp16_wall(&st->cp16, now), &card);
    if (verdict == PW_TAGS_ASK) {
        return pw_cp16_authorise(&st->cp16, index + 1, id_tag, now);
    }
    // A person at the station lets a card charge that nobody knows and nobody can be asked about.
    bool by_hand = st->extra[index].admission.by == PW_START_LOCAL && card.id_tag[0] == '\0';
    if (verdict == PW_TAGS_REFUSE && !by_hand) {
        pw_charge_say(st, PW_LOG_INFO, index, "card-refused",
                      PW_STR("the central system cannot be asked"));
        return PW_ERR_UNKNOWN;
    }
    if (pw_str_copy(card.id_tag, sizeof(card.id_tag), id_tag) != PW_OK) {
        return PW_ERR_RANGE;
    }
    return admit(st, index, &card, now);
}

void pw_admission_authorised(void *context, unsigned connector, const struct pw_tag *answer,
                             bool offline, pw_ms now)
{
    struct pw_station *st = context;
    unsigned index = connector - 1;
    struct pw_tag card = *answer;
    if (offline) {
        enum pw_tags_verdict verdict = pw_tags_decide(&st->tags, pw_str_of(answer->id_tag), false,
                                                      pw_cp16_wall(&st->cp16, now), &card);
        memcpy(card.id_tag, answer->id_tag, sizeof(card.id_tag));
        card.status = verdict == PW_TAGS_ACCEPT ? PW_TAG_ACCEPTED : PW_TAG_INVALID;
    }
    // Whoever charges elsewhere may not begin, and may still end what his group began.
    if (card.status == PW_TAG_CONCURRENT_TX &&
        end_of_group(st, st->extra[index].admission.ends, &card, now)) {
        return;
    }
    if (card.status != PW_TAG_ACCEPTED) {
        pw_charge_forget_profile(st, index);
        pw_charge_say(st, PW_LOG_INFO, index, "card-refused",
                      offline ? PW_STR("the central system cannot be asked")
                              : pw_str_of(pw_tag_status_name(card.status)));
        return;
    }
    if (admit(st, index, &card, now) != PW_OK && is_startable(st, index)) {
        pw_charge_forget_profile(st, index);
    }
}

// ---------------------------------------------------------------------------------------------
// A card at the reader.

// Where this very card charges, or is awaited.
static bool charging_with(struct pw_station *st, unsigned connector, struct pw_str id_tag,
                          unsigned *index)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_session *session = session_of(st, i);
        if ((connector == 0 || connector == i + 1) && is_in_use(session) &&
            pw_str_eq_nocase(pw_str_of(session->id_tag), id_tag)) {
            *index = i;
            return true;
        }
    }
    return false;
}

// A charge that a card of its group might end: its connector from 1; 0: there is none.
static unsigned ended_by_group(struct pw_station *st, unsigned connector)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        if ((connector == 0 || connector == i + 1) && is_in_use(session_of(st, i)) &&
            st->extra[i].admission.parent[0] != '\0') {
            return i + 1;
        }
    }
    return 0;
}

// Whether a card is the one whose cable is locked, or of its group.
static bool may_release(struct pw_station *st, struct pw_str held, struct pw_str id_tag)
{
    struct pw_tag known[2];
    const char *groups[2] = {known_parent(st, held, &known[0]),
                             known_parent(st, id_tag, &known[1])};
    bool group = groups[0] != NULL && groups[1] != NULL && groups[0][0] != '\0' &&
                 pw_str_eq_nocase(pw_str_of(groups[0]), pw_str_of(groups[1]));
    return pw_str_eq_nocase(held, id_tag) || group;
}

// The card that charged opens the lock of a cable that its vehicle left in the socket, or that
// stayed because the card was refused.
static bool releases_cable(struct pw_station *st, unsigned connector, struct pw_str id_tag,
                           pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_str held = pw_str_of(pw_connector_held(&st->connector[i]));
        if ((connector == 0 || connector == i + 1) && held.len > 0 &&
            may_release(st, held, id_tag)) {
            int err = pw_connector_unlock(&st->connector[i], now);
            return err == PW_OK || err == PW_ERR_AGAIN;
        }
    }
    return false;
}

// At a reader for all connectors a vehicle that waits means that its driver stands there. Without
// one, the card of a group ends the group's charge before it begins another.
int pw_charge_card(struct pw_station *st, unsigned connector, struct pw_str id_tag, pw_ms now)
{
    unsigned index = connector - 1;
    if (charging_with(st, connector, id_tag, &index)) {
        return pw_session_stop(session_of(st, index), PW_REASON_LOCAL, id_tag, now);
    }
    if (releases_cable(st, connector, id_tag, now)) {
        return PW_OK;
    }
    unsigned ends = ended_by_group(st, connector);
    bool startable =
        connector == 0 ? pw_charge_choose(st, id_tag, &index) == PW_OK : is_startable(st, index);
    if (startable && is_waiting(session_of(st, index))) {
        ends = 0;
    }
    if (!startable && ends == 0) {
        return PW_ERR_BUSY;
    }
    index = startable ? index : ends - 1;
    struct pw_admission *admission = &st->extra[index].admission;
    admission->by = PW_START_CARD;
    admission->ends = (uint8_t)(ends == 0 ? ENDS_NONE : connector == 0 ? ENDS_ANY : connector);
    return present(st, index, id_tag, now);
}

// ---------------------------------------------------------------------------------------------
// Starts from elsewhere.

// Why a connector cannot begin now, in words.
static void say_why_not(struct pw_station *st, unsigned index, struct pw_out *why, pw_ms now)
{
    struct pw_connector_view view;
    pw_connector_view(&st->connector[index], &view, now);
    if (view.status == PW_STATUS_FAULTED) {
        pw_put_s(why, "faulted: ");
        pw_put_s(why, view.vendor_code);
        pw_put_s(why, view.info[0] != '\0' ? ", " : "");
        pw_put_s(why, view.info);
    } else if (view.status == PW_STATUS_UNAVAILABLE) {
        pw_put_s(why, "the connector is out of service");
    } else if (view.phase == PW_PHASE_FINISHING) {
        pw_put_s(why, "the vehicle of the last charge must be unplugged first");
    } else {
        pw_put_s(why, "a charge is under way, ");
        pw_put_s(why, pw_session_phase_name(view.phase));
    }
}

// One sentence for what came of a start.
static int explain(int err, struct pw_out *why)
{
    if (err != PW_OK) {
        pw_put_s(why, err == PW_ERR_RANGE     ? "id_tag: 1 to 20 characters are wanted"
                      : err == PW_ERR_UNKNOWN ? "the card is not accepted"
                                              : "another authorisation is under way");
    }
    return err;
}

int pw_charge_start(struct pw_station *st, unsigned index, const struct pw_charge_wish *wish,
                    struct pw_out *why, pw_ms now)
{
    struct pw_str id_tag = wish->id_tag;
    struct pw_tag card;
    int32_t id = 0;
    if (st->stopping) {
        pw_put_s(why, "the station is stopping");
        return PW_ERR_BUSY;
    }
    if (!is_startable(st, index)) {
        say_why_not(st, index, why, now);
        return PW_ERR_BUSY;
    }
    enum pw_reservations_leave leave = pw_reservations_leave(&st->reservations, index + 1, id_tag,
                                                             known_parent(st, id_tag, &card), &id);
    if (leave == PW_LEAVE_OTHER) {
        pw_put_s(why, "the connector is reserved");
        return PW_ERR_BUSY;
    }
    struct pw_admission *admission = &st->extra[index].admission;
    admission->by = wish->by;
    admission->ends = ENDS_NONE;
    // Whether the card is of the reservation's group only the central system knows (§5.13).
    if (wish->ask || leave == PW_LEAVE_PARENT) {
        return explain(present(st, index, id_tag, now), why);
    }
    if (id_tag.len == 0 || pw_str_copy(card.id_tag, sizeof(card.id_tag), id_tag) != PW_OK) {
        return explain(PW_ERR_RANGE, why);
    }
    return explain(start(st, index, &card, wish->by, now), why);
}

int pw_charge_remote_start(struct pw_station *st, unsigned index, struct pw_str id_tag,
                           const struct pw_profile *profile, struct pw_out *why, pw_ms now)
{
    bool free = is_startable(st, index);
    // Where limits from outside do not count, the profile is ignored (§5.11).
    bool counts = pw_settings_int(&st->settings, PW_SET_REMOTE_ADJUST) != 0;
    int err = free ? pw_smart_expect(&st->smart, index + 1, counts ? profile : NULL,
                                     pw_station_wall(st, now), why)
                   : PW_OK;
    if (err != PW_OK) {
        return err;
    }
    const struct pw_charge_wish wish = {
        .id_tag = id_tag,
        .by = PW_START_REMOTE,
        .ask = pw_settings_int(&st->settings, PW_SET_AUTHORIZE_REMOTE) != 0,
    };
    err = pw_charge_start(st, index, &wish, why, now);
    if (err != PW_OK && free) {
        pw_charge_forget_profile(st, index);
    }
    return err;
}

// ---------------------------------------------------------------------------------------------
// What the central system says of a card after its charge has begun.

// No more energy for the charge's card, as the settings want it.
static void withhold(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_session *session = session_of(st, index);
    int64_t allowance_wh = pw_settings_int(&st->settings, PW_SET_INVALID_ENERGY_WH);
    if (pw_settings_int(&st->settings, PW_SET_STOP_ON_INVALID) != 0) {
        // BUSY means it is ending already, which is as good.
        (void)!pw_session_stop(session, PW_REASON_DE_AUTHORIZED, PW_STR(""), now);
    } else if (allowance_wh > 0) {
        pw_session_suspend_after(session, (uint64_t)allowance_wh * 1000);
    } else {
        pw_session_suspend(session, true);
    }
}

void pw_admission_start_answered(void *context, unsigned connector, uint32_t seq,
                                 const struct pw_tag *answer, pw_ms now)
{
    struct pw_station *st = context;
    const struct pw_transaction *open = pw_journal_open_on(&st->journal, connector);
    struct pw_station_connector *extra = &st->extra[connector - 1];
    if (open == NULL || open->seq != seq) {
        return;
    }
    if (answer->parent[0] != '\0') {
        memcpy(extra->admission.parent, answer->parent, PW_TAG_SIZE);
    }
    if (answer->status == PW_TAG_ACCEPTED) {
        return;
    }
    pw_charge_say(st, PW_LOG_WARN, connector - 1, "card-refused-after-start",
                  pw_str_of(pw_tag_status_name(answer->status)));
    // Before the answer is settled: a power cut must not turn the card into a good one. What cannot
    // be kept is kept with the next change.
    struct pw_keep refused = extra->kept;
    refused.card_refused = true;
    if (pw_journal_save_keep(&st->journal, connector, refused) == PW_OK) {
        extra->kept = refused;
    }
    withhold(st, connector - 1, now);
}

void pw_admission_resumed(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_tag known;
    struct pw_str id_tag = pw_str_of(session_of(st, index)->id_tag);
    if (known_parent(st, id_tag, &known) != NULL) {
        memcpy(st->extra[index].admission.parent, known.parent, PW_TAG_SIZE);
    }
    if (st->extra[index].kept.card_refused) {
        withhold(st, index, now);
    }
}

// ---------------------------------------------------------------------------------------------
// Reservations.

bool pw_admission_reserved(struct pw_station *st, unsigned index, struct pw_str id_tag, int32_t *id)
{
    return pw_reservations_leave(&st->reservations, index + 1, id_tag,
                                 st->extra[index].admission.parent, id) == PW_LEAVE_OWN;
}

static enum pw_reservations_place place_of(const struct pw_session *session)
{
    enum pw_session_status status = pw_session_status(session);
    if (status == PW_STATUS_FAULTED || status == PW_STATUS_UNAVAILABLE) {
        return status == PW_STATUS_FAULTED ? PW_PLACE_FAULTED : PW_PLACE_UNAVAILABLE;
    }
    return session->phase == PW_PHASE_IDLE      ? PW_PLACE_FREE
           : session->phase == PW_PHASE_PLUGGED ? PW_PLACE_PLUGGED
                                                : PW_PLACE_OCCUPIED;
}

pw_ms pw_admission_step(struct pw_station *st, pw_ms now)
{
    enum pw_reservations_place place[PW_CONNECTORS_MAX];
    bool waits = pw_tags_step(&st->tags);
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_session *session = session_of(st, i);
        place[i] = place_of(session);
        if (session->phase != PW_PHASE_AUTHORISED && session->phase != PW_PHASE_BEGINNING) {
            pw_reservations_unclaim(&st->reservations, i + 1);
        }
    }
    pw_ms at = pw_reservations_step(&st->reservations, place, pw_cp16_wall(&st->cp16, now), now);
    // The store's port wakes the loop; this is the net below it.
    at = waits ? pw_earlier(at, pw_after(now, 100)) : at;
    for (unsigned i = 0; i < st->connectors; i++) {
        pw_session_reserve(session_of(st, i), pw_reservations_shown(&st->reservations, i + 1));
    }
    return at;
}
