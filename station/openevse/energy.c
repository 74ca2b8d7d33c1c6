// Energy of a board that measures one conductor: its counter times the phases in use.
#include "openevse/parts.h"

#include <string.h>

enum {
    WS_PER_MWH_18 = 5,     // a watt second is 5/18 of a milliwatt hour
    PAY_WS = 360000,       // 100 Wh: what is missing joins the register in such portions,
    PAY_MS = 250,          // so far apart: a register that leaps is not believed
    OWED_MAX_WS = 3600000, // 1 kWh: who has not found the phases by then finds them no more
    SLACK_WS = 36000,      // 10 Wh: a board counts in its own time
    ALL_PHASES = 7,
};

void pw_openevse_energy_init(struct pw_openevse_energy *energy)
{
    *energy = (struct pw_openevse_energy){.at = PW_NEVER, .ws = -1};
}

static int64_t bits_of(unsigned bits)
{
    return (int64_t)(bits & 1U) + (int64_t)(bits >> 1U & 1U) + (int64_t)(bits >> 2U & 1U);
}

static unsigned wired(const struct pw_openevse *oe)
{
    return oe->config.mains.phases == 1 ? 1U : ALL_PHASES;
}

// Our phases in use; 0: somebody looks, and does not know yet.
static unsigned in_use(const struct pw_openevse *oe)
{
    if (wired(oe) == 1U) {
        return 1U;
    }
    return oe->looking || oe->phases != 0 ? oe->phases : ALL_PHASES;
}

static void add(struct pw_openevse_energy *energy, int64_t ws)
{
    energy->rest += ws * WS_PER_MWH_18;
    energy->mwh += energy->rest / 18;
    energy->rest %= 18;
}

// The phases are known now, or never will be: one of them has been counted already.
static void settle(struct pw_openevse *oe, unsigned bits)
{
    struct pw_openevse_energy *energy = &oe->energy;
    if (energy->owed_ws == 0) {
        return;
    }
    energy->payable_ws += energy->owed_ws * (bits_of(bits) - 1);
    energy->owed_ws = 0;
}

void pw_openevse_phases(struct pw_openevse *oe, unsigned grid_bits, pw_ms now)
{
    unsigned bits = 0;
    (void)now;
    oe->looking = true;
    for (unsigned grid = 0; grid < PW_BOARD_PHASES; grid++) {
        if ((grid_bits >> grid & 1U) != 0) {
            bits |= 1U << pw_mains_outlet_phase(oe->mains.config.rotation, grid);
        }
    }
    // What was found stays until the vehicle leaves; a single-phase outlet has nothing to find.
    bits &= wired(oe);
    if (bits != 0 && oe->plugged && bits != oe->phases) {
        oe->phases = (uint8_t)bits;
        settle(oe, bits);
    }
}

// What can have flowed on one conductor since the last look, and some more.
static int64_t most_ws(const struct pw_openevse *oe, const struct pw_rapi_view *board)
{
    const struct pw_openevse_energy *energy = &oe->energy;
    if (energy->at == PW_NEVER) {
        return INT64_MAX; // how long nobody was here is not known
    }
    int64_t watts = (int64_t)oe->config.rated_ma * oe->config.mains_mv / 1000000;
    return watts * 5 / 4 * (int64_t)(board->energy_at - energy->at) / 1000 + SLACK_WS;
}

// Watt seconds since the last look. A counter that is less than before began anew; one that has
// only gone back has more in it than can have flowed since, and says nothing.
static int64_t fresh(struct pw_openevse *oe, const struct pw_rapi_view *board, bool *exchanged)
{
    struct pw_openevse_energy *energy = &oe->energy;
    int64_t before = energy->ws;
    bool anew = board->session_ws < before;
    bool back = anew && board->session_ws > most_ws(oe, board);
    energy->began = energy->began || anew || before < 0;
    energy->ws = board->session_ws;
    *exchanged = anew && !back && board->reboots == energy->reboots && !energy->left;
    energy->reboots = board->reboots;
    energy->left = !oe->plugged || (energy->left && board->session_ws == before);
    if (before < 0 || back) {
        return 0; // what it counted before we came is not of a charge of ours
    }
    return anew ? board->session_ws : board->session_ws - before;
}

static bool count_energy(struct pw_openevse *oe, const struct pw_rapi_view *board)
{
    struct pw_openevse_energy *energy = &oe->energy;
    bool first = energy->at == PW_NEVER;
    bool exchanged = false;
    if (board->energy_at == PW_NEVER || board->energy_at == energy->at || board->session_ws < 0) {
        return false;
    }
    int64_t ws = fresh(oe, board, &exchanged);
    energy->at = board->energy_at;
    unsigned bits = in_use(oe);
    int64_t times = bits == 0 ? 1 : bits_of(bits);
    if (first) {
        energy->payable_ws += ws * times; // of the time while nobody was here
    } else {
        add(energy, ws * times);
    }
    energy->owed_ws += bits == 0 ? ws : 0;
    return exchanged;
}

static void pay(struct pw_openevse_energy *energy)
{
    int64_t part = pw_min(energy->payable_ws, PAY_WS);
    add(energy, part);
    energy->payable_ws -= part;
}

// Nobody will look any more: as many as are wired.
static void give_up_looking(struct pw_openevse *oe)
{
    if (!oe->plugged || oe->energy.owed_ws > OWED_MAX_WS ||
        (oe->opened_at != PW_NEVER && !pw_session_permit(&oe->session))) {
        settle(oe, oe->phases != 0 ? oe->phases : wired(oe));
    }
}

// When the next reading is of: the board's newest current or count, or now, as long as something is
// missing in the register.
static pw_ms reading_at(const struct pw_openevse *oe, const struct pw_rapi_view *board, pw_ms now)
{
    pw_ms counted_at = oe->energy.at == PW_NEVER ? 0 : oe->energy.at;
    bool pays = now >= pw_openevse_energy_deadline(oe);
    return pays ? now : (pw_ms)pw_max((int64_t)board->current_at, (int64_t)counted_at);
}

// The board's ammeter sits on one conductor: the others carry the same as far as they are in use.
static struct pw_board_mains reading(const struct pw_openevse *oe, const struct pw_rapi_view *board)
{
    struct pw_board_mains mains = PW_BOARD_NO_MAINS;
    unsigned bits = in_use(oe);
    bool volts = board->mv != PW_RAPI_UNKNOWN && board->mv > 0;
    mains.import_mwh = oe->energy.at == PW_NEVER ? -1 : oe->energy.mwh;
    for (unsigned i = 0; i < oe->config.mains.phases; i++) {
        bool used = bits == 0 ? i == 0 : (bits >> i & 1U) != 0;
        mains.mv[i] = volts ? board->mv : oe->config.mains_mv;
        mains.ma[i] = used && board->relay ? board->ma : 0;
    }
    return mains;
}

static void tell_meter(const struct pw_openevse *oe)
{
    const struct pw_mains *mains = &oe->mains;
    bool good = mains->quality == PW_MAINS_GOOD;
    struct pw_line line;
    pw_line(&line, oe->log, good ? PW_LOG_INFO : PW_LOG_WARN, "openevse", "meter");
    pw_line_int(&line, "connector", oe->config.connector_id);
    pw_line_s(&line, "reading", pw_mains_quality_name(mains->quality));
    pw_line_int(&line, "register_jumps", mains->jumps);
    pw_line_end(&line);
}

static void read_mains(struct pw_openevse *oe, const struct pw_board_mains *from, pw_ms now)
{
    enum pw_mains_quality quality = oe->mains.quality;
    uint32_t jumps = oe->mains.jumps;
    oe->counted = *from;
    if (pw_mains_read(&oe->mains, from, now) != quality || oe->mains.jumps != jumps) {
        tell_meter(oe);
    }
}

// The board tells a current: only then its register goes on, also with what is missing in it.
static bool is_readable(const struct pw_openevse *oe)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    return oe->unheard_since == PW_NEVER && board->current_at != PW_NEVER &&
           board->ma != PW_RAPI_UNKNOWN;
}

bool pw_openevse_count(struct pw_openevse *oe, pw_ms now)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    bool exchanged = oe->unheard_since == PW_NEVER && count_energy(oe, board);
    give_up_looking(oe);
    if (oe->config.external_meter) {
        if (oe->external.at != PW_NEVER && oe->external.at != oe->counted.at) {
            read_mains(oe, &oe->external, now);
        }
        return exchanged;
    }
    if (!is_readable(oe)) {
        return exchanged;
    }
    pw_ms at = reading_at(oe, board, now);
    if (oe->counted.at == PW_NEVER || at > oe->counted.at) {
        if (oe->mains.import_mwh >= 0) { // what comes before the first count is no difference
            pay(&oe->energy);
        }
        struct pw_board_mains mains = reading(oe, board);
        mains.at = at;
        read_mains(oe, &mains, now);
    }
    return exchanged;
}

bool pw_openevse_energy_settled(const struct pw_openevse *oe, pw_ms when)
{
    const struct pw_openevse_energy *energy = &oe->energy;
    bool read = energy->at == PW_NEVER || energy->at > when;
    return read && oe->counted.at != PW_NEVER && oe->counted.at > when && energy->owed_ws == 0 &&
           energy->payable_ws == 0;
}

void pw_openevse_checkpoint(const struct pw_openevse *oe, struct pw_meter_register *energy,
                            int64_t *board_ws)
{
    int64_t owed_ws = oe->config.external_meter ? 0 : oe->energy.owed_ws;
    uint64_t owed_mwh = (uint64_t)owed_ws * WS_PER_MWH_18 / 18;
    *energy = oe->mains.total;
    *board_ws = oe->energy.ws;
    if (owed_ws <= oe->energy.ws && owed_mwh <= energy->energy_mwh) {
        energy->energy_mwh -= owed_mwh;
        *board_ws -= owed_ws;
    }
}

uint64_t pw_openevse_energy_pending(const struct pw_openevse *oe)
{
    const struct pw_openevse_energy *energy = &oe->energy;
    int64_t owed_ws = energy->owed_ws * (bits_of(wired(oe)) - 1);
    return (uint64_t)((owed_ws + energy->payable_ws) * WS_PER_MWH_18 / 18);
}

pw_ms pw_openevse_energy_deadline(const struct pw_openevse *oe)
{
    bool pays = oe->energy.payable_ws > 0 && oe->counted.at != PW_NEVER && is_readable(oe) &&
                !oe->config.external_meter;
    return pays ? pw_after(oe->counted.at, PAY_MS) : PW_NEVER;
}
