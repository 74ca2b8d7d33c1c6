#include "outlet/outlet.h"

#include <string.h>

enum {
    METER_PATIENCE_MS = 10000,
    // A vehicle that cannot be seen for so long may be another one. A short silence of the board
    // with its self-test after it takes about 13 s.
    UNSEEN_MS = 20000,
    SETTLED_MS = 250,       // after opening, a reading is of a current that has ended
    LAST_READING_MS = 3000, // it is waited for so long
    SENSES_LATE_MS = 200,   // behind the blocks: then the board is as good as silent
    CLIPPED_MA = 1000000,   // of a current beyond the end of its converter: an overload
};

// The machine's configuration: what the settings say, less what the board has not.
static struct pw_evse_config evse_of(const struct pw_outlet_config *config,
                                     const struct pw_outlet_board *board)
{
    struct pw_evse_config evse = config->evse;
    evse.max_ma = config->rated_ma;
    evse.phases = config->mains.phases;
    evse.step_ppm = board->traits.step_ppm;
    evse.blind_lock = board->traits.blind_lock;
    evse.no_feedback = board->traits.no_feedback;
    evse.no_rcd = board->traits.no_rcd;
    evse.no_earth = board->traits.no_earth;
    evse.no_probe = board->traits.no_probe;
    return evse;
}

static int fill(struct pw_outlet_config *to, const struct pw_outlet_config *from,
                struct pw_out *why)
{
    struct pw_outlet_config c = *from;
    c.meter_patience_ms = c.meter_patience_ms == 0 ? METER_PATIENCE_MS : c.meter_patience_ms;
    bool good = pw_within(why, "connector_id", c.connector_id, 1, UINT8_MAX) &&
                pw_within(why, "rated_ma", c.rated_ma, PW_PILOT_LEAST_MA, PW_PILOT_MOST_MA) &&
                pw_within(why, "max_ma", c.max_ma, 0, c.rated_ma) &&
                pw_within(why, "min_ma", c.min_ma, 0, PW_PILOT_MOST_MA) &&
                pw_within(why, "meter_patience_ms", c.meter_patience_ms, 1000, 600000);
    if (good) {
        *to = c;
    }
    return good ? PW_OK : PW_ERR_RANGE;
}

static void set_limit(struct pw_outlet *outlet, enum pw_limit_source source, int32_t ma,
                      const char *why, pw_ms now)
{
    int err = pw_limits_set(&outlet->limits, source, ma, why, PW_NEVER, now);
    PW_ASSERT(err == PW_OK);
}

static int refuse_meter(struct pw_out *why)
{
    if (why != NULL) {
        pw_put_s(why, "meter settings contradict each other");
    }
    return PW_ERR_RANGE;
}

int pw_outlet_init(struct pw_outlet *outlet, const struct pw_outlet_config *config,
                   const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    memset(outlet, 0, sizeof(*outlet));
    int err = fill(&outlet->config, config, why);
    if (err != PW_OK) {
        return err;
    }
    outlet->log = log;
    const struct pw_evse_config evse = evse_of(&outlet->config, &outlet->board);
    err = pw_evse_init(&outlet->evse, outlet->config.connector_id, &evse, log, now, why);
    if (err != PW_OK) {
        return err;
    }
    if (pw_mains_init(&outlet->mains, &outlet->config.mains, now) != PW_OK) {
        return refuse_meter(why);
    }
    err = pw_analog_init(&outlet->analog, &outlet->board.analog);
    PW_ASSERT(err == PW_OK);
    outlet->senses = (struct pw_board_senses)PW_BOARD_NO_SENSES;
    outlet->said_at = PW_NEVER;
    outlet->external = (struct pw_board_mains)PW_BOARD_NO_MAINS;
    outlet->counted = (struct pw_board_mains)PW_BOARD_NO_MAINS;
    outlet->unseen_since = PW_NEVER;
    pw_limits_init(&outlet->limits, outlet->config.rated_ma, now);
    set_limit(outlet, PW_LIMIT_SETTINGS, outlet->config.max_ma, "settings", now);
    pw_session_init(&outlet->session, outlet->config.connector_id, &outlet->config.session, log,
                    now);
    return PW_OK;
}

int pw_outlet_configure(struct pw_outlet *outlet, const struct pw_outlet_config *config,
                        struct pw_out *why, pw_ms now)
{
    struct pw_outlet_config c;
    int err = fill(&c, config, why);
    if (err != PW_OK) {
        return err;
    }
    // What the hardware was built for does not change while it runs.
    c.rated_ma = outlet->config.rated_ma;
    struct pw_mains mains = outlet->mains;
    if (pw_mains_configure(&mains, &c.mains) != PW_OK) {
        return refuse_meter(why);
    }
    const struct pw_evse_config evse = evse_of(&c, &outlet->board);
    err = pw_evse_configure(&outlet->evse, &evse, why);
    if (err != PW_OK) {
        return err;
    }
    outlet->config = c;
    outlet->mains = mains;
    pw_session_configure(&outlet->session, &c.session);
    set_limit(outlet, PW_LIMIT_SETTINGS, c.max_ma, "settings", now);
    return PW_OK;
}

int pw_outlet_board(struct pw_outlet *outlet, const struct pw_outlet_board *board,
                    struct pw_out *why)
{
    struct pw_analog analog;
    if (pw_analog_init(&analog, &board->analog) != PW_OK) {
        if (why != NULL) {
            pw_put_s(why, "the calibration of the analog inputs cannot be");
        }
        return PW_ERR_RANGE;
    }
    const struct pw_evse_config evse = evse_of(&outlet->config, board);
    int err = pw_evse_configure(&outlet->evse, &evse, why);
    if (err != PW_OK) {
        return err;
    }
    outlet->analog = analog;
    outlet->board = *board;
    outlet->renewed = true;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Inputs.

// `at` is the pilot's time. A board that talks on without a pilot would pass for heard, and the
// last level for the present one: nobody would see the plug leave.
static void keep_pilot_time(struct pw_outlet *outlet, pw_ms sampled_at)
{
    if (outlet->senses.cp_high_mv == PW_BOARD_UNKNOWN) {
        outlet->senses.at = sampled_at;
    }
}

void pw_outlet_senses(struct pw_outlet *outlet, const struct pw_board_senses *senses, pw_ms now)
{
    (void)now;
    pw_ms sampled_at = outlet->senses.at;
    outlet->senses = *senses;
    outlet->said_at = senses->at;
    if (outlet->board.traits.blocks) {
        pw_analog_sense(&outlet->analog, &outlet->senses);
    }
    keep_pilot_time(outlet, sampled_at);
}

// Which analog inputs cannot be believed: bits of the voltages, then of the currents.
static void tell_channels(const struct pw_outlet *outlet)
{
    bool well = outlet->analog.clipped == 0 && outlet->analog.dead == 0;
    struct pw_line line;
    pw_line(&line, outlet->log, well ? PW_LOG_INFO : PW_LOG_WARN, "outlet", "analog-inputs");
    pw_line_int(&line, "connector", outlet->config.connector_id);
    pw_line_int(&line, "clipped", outlet->analog.clipped);
    pw_line_int(&line, "dead", outlet->analog.dead);
    pw_line_end(&line);
}

void pw_outlet_block(struct pw_outlet *outlet, const struct pw_board_block *block, pw_ms now)
{
    // A block that makes no sense is counted by core/analog; a board that sends only such is
    // silent.
    uint8_t clipped = outlet->analog.clipped;
    uint8_t dead = outlet->analog.dead;
    if (outlet->board.traits.blocks && pw_analog_block(&outlet->analog, block, now) >= 0) {
        pw_ms sampled_at = outlet->senses.at;
        pw_analog_sense(&outlet->analog, &outlet->senses);
        keep_pilot_time(outlet, sampled_at);
    }
    if (outlet->analog.clipped != clipped || outlet->analog.dead != dead) {
        tell_channels(outlet);
    }
}

void pw_outlet_mains(struct pw_outlet *outlet, const struct pw_board_mains *mains, pw_ms now)
{
    (void)now;
    outlet->external = *mains;
}

bool pw_outlet_estop(struct pw_outlet *outlet, bool pressed)
{
    bool before = outlet->panel_estop;
    outlet->panel_estop = pressed;
    return before;
}

// ---------------------------------------------------------------------------------------------
// The turn.

// A meter that lies, and one that is right again.
static void tell_meter(const struct pw_outlet *outlet)
{
    const struct pw_mains *mains = &outlet->mains;
    bool good = mains->quality == PW_MAINS_GOOD;
    struct pw_line line;
    pw_line(&line, outlet->log, good ? PW_LOG_INFO : PW_LOG_WARN, "outlet", "meter");
    pw_line_int(&line, "connector", outlet->config.connector_id);
    pw_line_s(&line, "reading", pw_mains_quality_name(mains->quality));
    pw_line_int(&line, "register_jumps", mains->jumps);
    pw_line_int(&line, "register_apart", mains->disagreements);
    pw_line_end(&line);
}

static void count(struct pw_outlet *outlet, pw_ms now)
{
    const struct pw_board_mains *from =
        outlet->config.external_meter ? &outlet->external : &outlet->senses.mains;
    bool silent = (outlet->evse.present & PW_EVSE_BIT(PW_EVSE_FAULT_BOARD)) != 0;
    if (silent && !outlet->config.external_meter) {
        // A silent board has opened by itself: the power before and after says nothing of between.
        pw_mains_part(&outlet->mains);
    }
    if (from->at == PW_NEVER || from->at == outlet->counted.at) {
        return;
    }
    outlet->counted = *from;
    enum pw_mains_quality quality = outlet->mains.quality;
    uint32_t odd = outlet->mains.jumps + outlet->mains.disagreements;
    if (pw_mains_read(&outlet->mains, from, now) != quality ||
        outlet->mains.jumps + outlet->mains.disagreements != odd) {
        tell_meter(outlet);
    }
}

static bool has_currents(const struct pw_board_mains *mains)
{
    bool any = false;
    for (unsigned i = 0; mains->at != PW_NEVER && i < PW_BOARD_PHASES; i++) {
        any = any || mains->ma[i] != PW_BOARD_UNKNOWN;
    }
    return any;
}

// Blocks do not keep a board alive whose contacts, stop button and lock nobody has told of lately;
// nor does one that began anew pass for the one that was there before.
static pw_ms heard_at(const struct pw_outlet *outlet)
{
    if (outlet->renewed || outlet->said_at == PW_NEVER) {
        return PW_NEVER;
    }
    bool late = outlet->senses.at > pw_after(outlet->said_at, SENSES_LATE_MS);
    return late ? outlet->said_at : outlet->senses.at;
}

// What the machine shall see: the board's senses, a stop pressed elsewhere, and the currents that
// are known soonest. Without currents of its own the board borrows the other meter's.
static struct pw_board_senses senses_for_machine(const struct pw_outlet *outlet)
{
    struct pw_board_senses senses = outlet->senses;
    const struct pw_board_mains *fast = &outlet->analog.fast;
    senses.at = heard_at(outlet);
    senses.estop = senses.estop || outlet->panel_estop;
    if (outlet->board.traits.blocks && fast->at != PW_NEVER) {
        senses.mains = *fast;
        for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
            // More than the converter can show is more than anybody may draw.
            if ((outlet->analog.clipped & PW_ANALOG_AMPERE(i)) != 0 &&
                senses.mains.ma[i] != PW_BOARD_UNKNOWN) {
                senses.mains.ma[i] = CLIPPED_MA;
            }
        }
    }
    if (!has_currents(&senses.mains) && outlet->external.at != PW_NEVER) {
        senses.mains = outlet->external;
    }
    return senses;
}

static bool meter_late(const struct pw_outlet *outlet, pw_ms now)
{
    pw_ms heard = outlet->mains.good.at;
    return heard == PW_NEVER || pw_elapsed(heard, (pw_ms)outlet->config.meter_patience_ms, now);
}

// A meter that is silent or lies pauses the charge. Returns when that is to be looked at again.
static pw_ms watch_meter(struct pw_outlet *outlet, pw_ms now)
{
    if (meter_late(outlet, now)) {
        set_limit(outlet, PW_LIMIT_METER, 0, "meter silent or implausible", now);
        return PW_NEVER;
    }
    pw_limits_clear(&outlet->limits, PW_LIMIT_METER, now);
    return pw_after(outlet->mains.good.at, (pw_ms)outlet->config.meter_patience_ms);
}

// The machine's own limits go into the stack too, so that everybody sees who limits.
static void enter_own_limits(struct pw_outlet *outlet, pw_ms now)
{
    static const struct {
        enum pw_evse_bound bound;
        enum pw_limit_source source;
        const char *why;
    } rows[] = {
        {PW_EVSE_BOUND_CABLE, PW_LIMIT_CABLE, "cable"},
        {PW_EVSE_BOUND_SIMPLIFIED, PW_LIMIT_VEHICLE, "simplified pilot"},
        {PW_EVSE_BOUND_TEMPERATURE, PW_LIMIT_TEMPERATURE, "derating"},
    };
    const struct pw_evse *evse = &outlet->evse;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int32_t ma = evse->limits.own_ma[rows[i].bound];
        if (evse->plugged && ma < outlet->config.rated_ma) {
            set_limit(outlet, rows[i].source, ma, rows[i].why, now);
        } else {
            pw_limits_clear(&outlet->limits, rows[i].source, now);
        }
    }
}

// The charge is over when the meter has said so too: what flowed up to the opening of the contactor
// is measured a little later. A meter that does not speak is not waited for.
static bool is_counted(const struct pw_outlet *outlet, pw_ms now)
{
    pw_ms opened_at = outlet->evse.opened_at;
    pw_ms last = outlet->counted.at;
    return opened_at == PW_NEVER || pw_elapsed(opened_at, LAST_READING_MS, now) ||
           (last != PW_NEVER && last > pw_after(opened_at, SETTLED_MS));
}

// UnlockConnectorOnEVSideDisconnect = false: while the charge runs the lock stays closed whatever
// the vehicle does, and when the vehicle ended it, until the lock is asked to open.
static bool holds_lock(const struct pw_outlet *outlet)
{
    const struct pw_session *session = &outlet->session;
    bool runs = session->phase == PW_PHASE_ACTIVE && session->reason == PW_REASON_NONE;
    return outlet->config.evse.socket &&
           ((outlet->config.keep_lock && runs) || outlet->held_tag[0] != '\0');
}

// OCPP 1.6 §3.5.4 with erratum 3.5: the cable of a charge that ended because the central system
// refused its card stays locked until that card comes again: nobody else shall walk off with it.
static void hold_refused(struct pw_outlet *outlet)
{
    bool refused = outlet->session.reason == PW_REASON_DE_AUTHORIZED;
    if (refused && !outlet->refused && outlet->config.evse.socket && outlet->evse.lock_want &&
        outlet->evse.plugged) {
        memcpy(outlet->held_tag, outlet->session.id_tag, sizeof(outlet->held_tag));
    }
    outlet->refused = refused;
}

// The vehicle ends its charge now by leaving, and the cable stays. True in that turn only.
static bool begins_to_hold(struct pw_outlet *outlet)
{
    const struct pw_session *session = &outlet->session;
    // UnlockConnectorOnEVSideDisconnect: who unplugs the vehicle has the cable.
    bool freed = !outlet->config.keep_lock && !outlet->evse.plugged;
    if (!outlet->evse.lock_want || freed) {
        outlet->held_tag[0] = '\0';
    }
    bool leaves = holds_lock(outlet) && outlet->held_tag[0] == '\0' && session->in.plugged &&
                  !outlet->evse.plugged && !session->config.keep_when_unplugged &&
                  outlet->evse.lock_want;
    if (leaves) {
        memcpy(outlet->held_tag, session->id_tag, sizeof(outlet->held_tag));
    }
    return leaves;
}

// A cable that is held counts as a vehicle that is still there, from the turn after it left on.
static struct pw_session_input session_input(const struct pw_outlet *outlet, bool leaves, pw_ms now)
{
    const struct pw_evse *evse = &outlet->evse;
    return (struct pw_session_input){
        .plugged = evse->plugged || (outlet->held_tag[0] != '\0' && !leaves),
        .off = pw_evse_is_off(evse) && is_counted(outlet, now) && !leaves,
        .paused_ev = pw_evse_paused_by_vehicle(evse),
        // The turn in which the permit comes: the machine has not heard of it yet.
        .paused_evse = pw_evse_paused_by_station(evse) || evse->pause == PW_EVSE_PAUSE_PERMIT,
        .fault = evse->faults != 0,
        .emergency = (evse->faults & PW_EVSE_BIT(PW_EVSE_FAULT_ESTOP)) != 0,
        .energy_mwh = outlet->mains.total.energy_mwh,
        .soc_permille = -1,
    };
}

// While the pilot is held at -12 V, or the board is silent, nobody sees a plug being pulled. A
// transaction does not outlive that for long: the next vehicle must not charge on its card.
static pw_ms watch_plug(struct pw_outlet *outlet, pw_ms now)
{
    const struct pw_evse *evse = &outlet->evse;
    bool silent = (evse->faults & PW_EVSE_BIT(PW_EVSE_FAULT_BOARD)) != 0;
    if (!evse->plugged || (evse->drive.cp != PW_BOARD_CP_FAULT && !silent)) {
        outlet->unseen_since = PW_NEVER;
        return PW_NEVER;
    }
    if (outlet->unseen_since == PW_NEVER) {
        outlet->unseen_since = now;
    }
    if (!pw_elapsed(outlet->unseen_since, UNSEEN_MS, now)) {
        return pw_after(outlet->unseen_since, UNSEEN_MS);
    }
    // BUSY: there is none, or it is ending.
    (void)!pw_session_stop(&outlet->session, PW_REASON_OTHER, PW_STR(""), now);
    return PW_NEVER;
}

// What the machine may offer: too little for the vehicle is nothing at all.
static int32_t most_ma(const struct pw_outlet *outlet)
{
    int32_t ma = outlet->limits.effective_ma;
    return ma < outlet->config.min_ma ? 0 : ma;
}

pw_ms pw_outlet_step(struct pw_outlet *outlet, pw_ms now)
{
    bool was_plugged = outlet->evse.plugged;
    count(outlet, now);
    pw_ms at = watch_meter(outlet, now);
    at = pw_earlier(at, pw_limits_step(&outlet->limits, now));
    const struct pw_board_senses senses = senses_for_machine(outlet);
    hold_refused(outlet);
    const struct pw_evse_input input = {
        .senses = &senses,
        .permit = pw_session_permit(&outlet->session),
        .limit_ma = most_ma(outlet),
        .hold = holds_lock(outlet),
    };
    at = pw_earlier(at, pw_evse_step(&outlet->evse, &input, now));
    outlet->renewed = false;
    enter_own_limits(outlet, now);
    at = pw_earlier(at, watch_plug(outlet, now));
    bool leaves = begins_to_hold(outlet);
    const struct pw_session_input hardware = session_input(outlet, leaves, now);
    if (pw_evse_is_off(&outlet->evse) && !hardware.off) {
        at = pw_earlier(at, pw_after(outlet->evse.opened_at, LAST_READING_MS));
    }
    at = pw_earlier(at, pw_session_step(&outlet->session, &hardware, now));
    if (pw_session_permit(&outlet->session) != input.permit || most_ma(outlet) != input.limit_ma ||
        leaves || holds_lock(outlet) != input.hold) {
        // The machine hears of it in the same turn.
        at = now;
    }
    if (was_plugged && !outlet->evse.plugged) {
        pw_mains_forget_use(&outlet->mains);
    }
    return pw_earlier(at, pw_mains_deadline(&outlet->mains));
}

bool pw_outlet_take_drive(struct pw_outlet *outlet, struct pw_board_drive *drive)
{
    *drive = pw_evse_drive(&outlet->evse);
    if (outlet->driven_once && pw_board_same_drive(drive, &outlet->driven)) {
        return false;
    }
    outlet->driven = *drive;
    outlet->driven_once = true;
    return true;
}

int pw_outlet_unlock(struct pw_outlet *outlet, pw_ms now)
{
    if (!outlet->config.evse.socket || outlet->senses.lock == PW_BOARD_LOCK_NONE) {
        return PW_ERR_UNKNOWN;
    }
    bool held = outlet->held_tag[0] != '\0';
    outlet->held_tag[0] = '\0';
    if (pw_session_stop(&outlet->session, PW_REASON_UNLOCK_COMMAND, PW_STR(""), now) == PW_OK) {
        return PW_ERR_AGAIN;
    }
    if (pw_session_in_transaction(&outlet->session)) {
        return PW_ERR_AGAIN;
    }
    if (outlet->senses.lock == PW_BOARD_LOCK_OPEN) {
        return PW_OK;
    }
    bool gave_up = (outlet->evse.faults & PW_EVSE_BIT(PW_EVSE_FAULT_UNLOCK)) != 0;
    return (outlet->evse.lock_want && !held) || gave_up ? PW_ERR_BUSY : PW_ERR_AGAIN;
}

bool pw_outlet_keep_due(const struct pw_outlet *outlet, pw_ms now)
{
    return pw_evse_latched(&outlet->evse) != outlet->kept_latched ||
           pw_mains_checkpoint_due(&outlet->mains, now);
}

// ---------------------------------------------------------------------------------------------
// The view.

static const char *pilot_text(const struct pw_outlet *outlet)
{
    static const char *const texts[PW_PILOT_LEVEL_ROWS][2] = {
        [PW_PILOT_NONE] = {"", ""},  [PW_PILOT_A] = {"A1", "A2"}, [PW_PILOT_B] = {"B1", "B2"},
        [PW_PILOT_C] = {"C1", "C2"}, [PW_PILOT_D] = {"D1", "D2"}, [PW_PILOT_E] = {"E", "E"},
        [PW_PILOT_F] = {"F", "F"},
    };
    bool pwm = outlet->evse.drive.cp == PW_BOARD_CP_PWM;
    return texts[outlet->evse.pilot.level][pwm ? 1 : 0];
}

void pw_outlet_view(const struct pw_outlet *outlet, struct pw_outlet_view *view, pw_ms now)
{
    const struct pw_evse *evse = &outlet->evse;
    memset(view, 0, sizeof(*view));
    pw_mains_view(&outlet->mains, &view->mains, now);
    view->pilot = pilot_text(outlet);
    view->offered_ma = evse->offered_ma;
    view->temp_dc = INT32_MIN;
    for (unsigned i = 0; outlet->senses.at != PW_NEVER && i < PW_BOARD_PROBES; i++) {
        view->temp_dc = (int32_t)pw_max(view->temp_dc, outlet->senses.temp_dc[i]);
    }
    view->live = evse->drive.contactor || evse->reads_closed;
    view->meter_late = evse->plugged && meter_late(outlet, now);
}
