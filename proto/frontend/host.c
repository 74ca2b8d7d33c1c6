// The station's end: asks for a HELLO, judges it, keeps what the board says, and says when a DRIVE
// is due.
#include "frontend/frontend.h"

static void enter(struct pw_frontend_host *host, enum pw_frontend_state state, const char *why)
{
    host->state = state;
    host->why = why;
    host->sent_at = PW_NEVER; // ask or drive at once
    host->drive_due = true;
}

static void forget(struct pw_frontend_host *host)
{
    host->senses = (struct pw_board_senses)PW_BOARD_NO_SENSES;
    host->heard_any = false;
}

void pw_frontend_host_init(struct pw_frontend_host *host, pw_ms now)
{
    *host = (struct pw_frontend_host){.heard_at = now};
    forget(host);
    enter(host, PW_FRONTEND_ASKING, "begun");
}

// NULL when we can work with it.
static const char *judge(const struct pw_frontend_hello *hello)
{
    if (hello->version != PW_FRONTEND_VERSION) {
        return "the board speaks another version of the protocol";
    }
    if (hello->phases != 1 && hello->phases != PW_BOARD_PHASES) {
        return "the board has neither 1 nor 3 phases";
    }
    if (hello->step_ppm < 1 || hello->step_ppm > 10000) {
        return "the board's PWM step is not within 1 to 10000 ppm";
    }
    if (hello->watchdog_ms < 1 || hello->watchdog_ms > PW_BOARD_SILENCE_MS) {
        return "the board's watchdog is not within 1 to 500 ms";
    }
    bool blocks = (hello->has & PW_FRONTEND_HAS_BLOCKS) != 0;
    if (blocks ? hello->rate_hz < 1000 || hello->rate_hz > 16000 : hello->rate_hz != 0) {
        return "the board's sampling rate is not within 1000 to 16000 Hz";
    }
    // Each closing is preceded by a test of the residual current device.
    bool rcd = (hello->has & PW_FRONTEND_HAS_RCD) != 0;
    if (rcd != ((hello->has & PW_FRONTEND_HAS_RCD_TEST) != 0)) {
        return "the board has one of RCD and RCD test, but not both";
    }
    return NULL;
}

struct pw_board_traits pw_frontend_traits(const struct pw_frontend_hello *hello)
{
    unsigned has = hello->has;
    return (struct pw_board_traits){
        .step_ppm = hello->step_ppm,
        .no_feedback = (has & (PW_FRONTEND_HAS_CONTACT | PW_FRONTEND_HAS_LOAD)) == 0,
        .blind_lock = (has & PW_FRONTEND_HAS_LOCK) == 0,
        .no_rcd = (has & PW_FRONTEND_HAS_RCD) == 0,
        .no_earth = (has & PW_FRONTEND_HAS_EARTH) == 0,
        .no_probe = (has & (PW_FRONTEND_HAS_TEMP0 | PW_FRONTEND_HAS_TEMP1)) == 0,
        .blocks = (has & PW_FRONTEND_HAS_BLOCKS) != 0,
    };
}

static enum pw_frontend_event take_hello(struct pw_frontend_host *host,
                                         const struct pw_frontend_hello *hello)
{
    const char *wrong = judge(hello);
    bool restarted = host->state == PW_FRONTEND_UP;
    host->hello = *hello;
    forget(host);
    // What it was told before its start holds no more: nothing closes until the station, which
    // knows of the start now, says so again.
    host->drive = (struct pw_board_drive){.cp = PW_BOARD_CP_FAULT, .lock = host->drive.lock};
    enter(host, wrong == NULL ? PW_FRONTEND_UP : PW_FRONTEND_REFUSED,
          wrong != NULL ? wrong : (restarted ? "the board has restarted" : "hello"));
    return PW_FRONTEND_STATE_NEW;
}

static void take_senses(struct pw_frontend_host *host, const struct pw_frontend_senses *says,
                        pw_ms now)
{
    struct pw_board_mains mains = host->senses.mains;
    host->senses = says->senses;
    host->senses.mains = mains;
    // No echo for so long: the DRIVE was lost on its way.
    if (says->drive_seq != host->drive_seq &&
        pw_elapsed(host->sent_at, PW_FRONTEND_REPEAT_MS, now)) {
        host->drive_due = true;
    }
}

static void count(struct pw_frontend_host *host, uint8_t seq)
{
    if (host->heard_any) {
        host->missed += (uint8_t)(seq - host->heard_seq - 1);
    }
    host->heard_any = true;
    host->heard_seq = seq;
}

enum pw_frontend_event pw_frontend_host_feed(struct pw_frontend_host *host, uint8_t byte, pw_ms now)
{
    const struct pw_frontend_message *message = &host->reader.message;
    if (!pw_frontend_feed(&host->reader, byte, now)) {
        return PW_FRONTEND_NOTHING;
    }
    if (message->kind == PW_FRONTEND_ASK || message->kind == PW_FRONTEND_DRIVE) {
        return PW_FRONTEND_NOTHING; // our own words: a loop-back plug, or two stations on one line
    }
    host->heard_at = now;
    if (message->kind == PW_FRONTEND_HELLO) {
        enum pw_frontend_event event = take_hello(host, &message->hello);
        count(host, message->seq);
        return event;
    }
    count(host, message->seq);
    if (host->state != PW_FRONTEND_UP) {
        return PW_FRONTEND_NOTHING;
    }
    if (message->kind == PW_FRONTEND_BLOCK) {
        host->block = message->block;
        return PW_FRONTEND_BLOCK_NEW;
    }
    if (message->kind == PW_FRONTEND_MAINS) {
        host->senses.mains = message->mains;
    } else {
        take_senses(host, &message->senses, now);
    }
    // Mains values before the first senses have nothing to stand in yet.
    return host->senses.at == PW_NEVER ? PW_FRONTEND_NOTHING : PW_FRONTEND_SENSES_NEW;
}

void pw_frontend_host_drive(struct pw_frontend_host *host, const struct pw_board_drive *drive)
{
    host->drive_due = host->drive_due || !pw_board_same_drive(drive, &host->drive);
    host->drive = *drive;
}

static pw_ms pace(const struct pw_frontend_host *host)
{
    return host->state == PW_FRONTEND_UP ? PW_FRONTEND_DRIVE_MS : PW_FRONTEND_ASK_MS;
}

static bool is_due(const struct pw_frontend_host *host, pw_ms now)
{
    return host->sent_at == PW_NEVER || (host->state == PW_FRONTEND_UP && host->drive_due) ||
           pw_elapsed(host->sent_at, pace(host), now);
}

size_t pw_frontend_host_put(struct pw_frontend_host *host, pw_ms now, uint8_t *to,
                            enum pw_frontend_event *event)
{
    *event = PW_FRONTEND_NOTHING;
    if (host->state != PW_FRONTEND_ASKING && pw_elapsed(host->heard_at, PW_FRONTEND_LOST_MS, now)) {
        forget(host);
        enter(host, PW_FRONTEND_ASKING, "the board is silent");
        *event = PW_FRONTEND_STATE_NEW;
    }
    if (!is_due(host, now)) {
        return 0;
    }
    struct pw_frontend_message *out = &host->out;
    out->seq = host->seq++;
    if (host->state == PW_FRONTEND_UP) {
        out->kind = PW_FRONTEND_DRIVE;
        out->drive = host->drive;
        host->drive_seq = out->seq;
    } else {
        out->kind = PW_FRONTEND_ASK;
        out->version = PW_FRONTEND_VERSION;
    }
    host->drive_due = false;
    host->sent_at = now;
    return pw_frontend_put(out, now, to);
}

pw_ms pw_frontend_host_deadline(const struct pw_frontend_host *host)
{
    if (host->sent_at == PW_NEVER || (host->state == PW_FRONTEND_UP && host->drive_due)) {
        return 0;
    }
    pw_ms silent = host->state == PW_FRONTEND_ASKING
                       ? PW_NEVER
                       : pw_after(host->heard_at, PW_FRONTEND_LOST_MS);
    return pw_earlier(pw_after(host->sent_at, pace(host)), silent);
}
