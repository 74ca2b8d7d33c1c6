// One command at a time: sending, waiting, trying again, and telling answers from what else a board
// says.
#include "rapi/parts.h"

#include <string.h>

enum {
    TRIES = 3,
    URGE_MS = 400,          // a lower limit is said again so soon ...
    URGES = 2,              // ... and so often: three lines fit what a deaf board stores
    SETTLE_MS = 500,        // a board without ids may still answer the first of two tries
    RESTART_MS = 10000,     // longest from $FR to the board's $AB (§2.7)
    ANSWER_KEPT_MS = 60000, // an answer nobody fetches
};

// ---------------------------------------------------------------------------------------------
// Configuration.

static int judge(const struct pw_rapi_config *config, struct pw_out *why)
{
    const int32_t least_s = config->heartbeat_s == 0 ? 0 : 5;
    const int32_t least_mv = config->mains_mv == 0 ? 0 : 80000;
    const struct {
        const char *name;
        int32_t value;
        int32_t least;
        int32_t most;
    } rows[] = {
        {"timeout_ms", config->timeout_ms, 2500, 500000},
        {"error_reset_ms", config->error_reset_ms, 1000, 500000},
        {"heartbeat_s", config->heartbeat_s, least_s, 60},
        {"heartbeat_ma", config->heartbeat_ma, 6000, 80000},
        {"poll_state_ms", config->poll_state_ms, 500, 10000},
        {"poll_current_ms", config->poll_current_ms, 500, 500000},
        {"poll_energy_ms", config->poll_energy_ms, 500, 500000},
        {"poll_capacity_ms", config->poll_capacity_ms, 500, 500000},
        {"poll_cable_ms", config->poll_cable_ms, 500, 500000},
        {"mains_mv", config->mains_mv, least_mv, 300000},
        {"idle_factor", config->idle_factor, 1, 1000},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!pw_within(why, rows[i].name, rows[i].value, rows[i].least, rows[i].most)) {
            return PW_ERR_RANGE;
        }
    }
    return PW_OK;
}

int pw_rapi_init(struct pw_rapi_client *client, const struct pw_rapi_config *config,
                 const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    int err = judge(config, why);
    if (err != PW_OK) {
        return err;
    }
    *client = (struct pw_rapi_client){
        .config = *config,
        .log = log,
        .view = {.why = "the wire is down", .heard_at = PW_NEVER},
        .job = PW_RAPI_JOB_NONE,
        .next_seq = 1,
        .next_ticket = 1,
    };
    pw_rapi_forget(&client->view);
    pw_rapi_plan_anew(client, now);
    return PW_OK;
}

int pw_rapi_configure(struct pw_rapi_client *client, const struct pw_rapi_config *config, pw_ms now,
                      struct pw_out *why)
{
    int err = judge(config, why);
    if (err != PW_OK) {
        return err;
    }
    client->config = *config;
    client->due[PW_RAPI_JOB_ARM] = now;
    for (unsigned i = PW_RAPI_JOB_CAPACITY; i <= PW_RAPI_JOB_TRIPS; i++) {
        client->due[i] = now;
    }
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// People's lines.

static struct pw_rapi_ask *oldest_ask(struct pw_rapi_client *client)
{
    struct pw_rapi_ask *oldest = NULL;
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        struct pw_rapi_ask *ask = &client->asks[i];
        if (ask->ticket != 0 && ask->state == PW_RAPI_ASK_QUEUED &&
            (oldest == NULL || ask->ticket < oldest->ticket)) {
            oldest = ask;
        }
    }
    return oldest;
}

static void end_ask(struct pw_rapi_ask *ask, struct pw_str answer, pw_ms now)
{
    ask->state = PW_RAPI_ASK_DONE;
    ask->at = now;
    if (pw_str_copy(ask->text, sizeof(ask->text), answer) != PW_OK) {
        ask->state = PW_RAPI_ASK_FAILED;
    }
}

static void fail_ask(struct pw_rapi_ask *ask, pw_ms now)
{
    ask->state = PW_RAPI_ASK_FAILED;
    ask->at = now;
}

static void fail_asks(struct pw_rapi_client *client, pw_ms now)
{
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        struct pw_rapi_ask *ask = &client->asks[i];
        if (ask->ticket != 0 && ask->state != PW_RAPI_ASK_DONE) {
            fail_ask(ask, now);
        }
    }
}

static struct pw_rapi_ask *free_ask(struct pw_rapi_client *client, pw_ms now)
{
    struct pw_rapi_ask *found = NULL;
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        struct pw_rapi_ask *ask = &client->asks[i];
        bool over = ask->state == PW_RAPI_ASK_DONE || ask->state == PW_RAPI_ASK_FAILED;
        if (ask->ticket != 0 && over && pw_elapsed(ask->at, ANSWER_KEPT_MS, now)) {
            ask->ticket = 0;
        }
        if (ask->ticket == 0) {
            found = ask;
        }
    }
    return found;
}

int pw_rapi_ask(struct pw_rapi_client *client, struct pw_str line, enum pw_rapi_who who, pw_ms now,
                uint32_t *ticket, struct pw_out *why)
{
    char text[PW_RAPI_LINE_MAX];
    struct pw_out body = PW_OUT(text);
    int err = pw_rapi_command_raw(line, who, &body, why);
    if (err != PW_OK) {
        return err;
    }
    if (!client->view.ok) {
        if (why != NULL) {
            pw_put_s(why, client->view.why);
        }
        return PW_ERR_PEER;
    }
    struct pw_rapi_ask *ask = free_ask(client, now);
    if (ask == NULL) {
        if (why != NULL) {
            pw_put_s(why, "as many lines are waiting for the board as there is room for");
        }
        return PW_ERR_AGAIN;
    }
    err = pw_str_copy(ask->text, sizeof(ask->text), pw_out_str(&body));
    PW_ASSERT(err == PW_OK);
    ask->state = PW_RAPI_ASK_QUEUED;
    ask->at = now;
    ask->ticket = client->next_ticket;
    client->next_ticket = ask->ticket == UINT32_MAX ? 1 : ask->ticket + 1;
    client->due[PW_RAPI_JOB_ASK] = now;
    *ticket = ask->ticket;
    return PW_OK;
}

int pw_rapi_answer(struct pw_rapi_client *client, uint32_t ticket, char *to, size_t cap)
{
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        struct pw_rapi_ask *ask = &client->asks[i];
        if (ticket == 0 || ask->ticket != ticket) {
            continue;
        }
        if (ask->state == PW_RAPI_ASK_QUEUED || ask->state == PW_RAPI_ASK_SENT) {
            return PW_ERR_AGAIN;
        }
        ask->ticket = 0;
        if (ask->state == PW_RAPI_ASK_FAILED) {
            return PW_ERR_PEER;
        }
        struct pw_str answer = pw_str_of(ask->text);
        int err = pw_str_copy(to, cap, answer);
        return err != PW_OK ? err : (int)answer.len;
    }
    return PW_ERR_UNKNOWN;
}

// ---------------------------------------------------------------------------------------------
// Sending.

// Ids are tried first with, then without, then with: a board that knows none may refuse one.
static uint8_t choose_seq(struct pw_rapi_client *client, size_t body_len)
{
    enum { ID_LEN = 4, CHECK_LEN = 3 };
    bool fits = body_len + ID_LEN + CHECK_LEN <= PW_RAPI_COMMAND_MAX;
    bool with = client->ids == PW_RAPI_IDS_YES ||
                (client->ids == PW_RAPI_IDS_UNKNOWN && client->tries % 2 == 0);
    if (!fits || !with) {
        return 0;
    }
    uint8_t seq = client->next_seq;
    client->next_seq = seq == UINT8_MAX ? 1 : (uint8_t)(seq + 1);
    return seq;
}

// A line that has not quite left is overtaken: its `$` makes the board forget the half of it.
static void send(struct pw_rapi_client *client, pw_ms now)
{
    char text[PW_RAPI_COMMAND_MAX + 1];
    char with[PW_RAPI_COMMAND_MAX + 2]; // its CR, and the terminator, which stays here
    struct pw_out body = PW_OUT(text);
    struct pw_out line = PW_OUT(with);
    struct pw_rapi_line split;
    pw_rapi_plan_line(client, &body);
    int err = pw_rapi_split(pw_out_str(&body), &split);
    PW_ASSERT(err == PW_OK);
    const struct pw_rapi_command *command = pw_rapi_command_of(&split, NULL);
    PW_ASSERT(command != NULL); // what we send, ourselves or for people, has a row
    client->slow_ms = command->slow_ms;
    memcpy(client->name, command->name, sizeof(client->name));
    client->seq = choose_seq(client, body.len);
    err = pw_rapi_write(&line, pw_out_str(&body), client->seq, PW_RAPI_CHECK_XOR);
    PW_ASSERT(err == PW_OK && line.len <= sizeof(client->tx));
    memcpy(client->tx, with, line.len);
    client->tx_len = (uint8_t)line.len;
    client->sent_at = now;
    client->said_at = now;
    client->urges = 0;
}

// The same line once more, while its answer is still waited for.
static void urge(struct pw_rapi_client *client, pw_ms now)
{
    uint8_t urges = (uint8_t)(client->urges + 1);
    pw_ms sent_at = client->sent_at;
    send(client, now);
    client->sent_at = sent_at;
    client->urges = urges;
}

static bool is_urged(const struct pw_rapi_client *client)
{
    return client->ids == PW_RAPI_IDS_YES && client->urges < URGES && pw_rapi_plan_hurries(client);
}

static pw_ms urged_at(const struct pw_rapi_client *client)
{
    return client->said_at + URGE_MS;
}

static void begin(struct pw_rapi_client *client, enum pw_rapi_job job, pw_ms now)
{
    client->job = (uint8_t)job;
    client->tries = 0;
    if (job == PW_RAPI_JOB_ASK) {
        struct pw_rapi_ask *ask = oldest_ask(client);
        PW_ASSERT(ask != NULL);
        ask->state = PW_RAPI_ASK_SENT;
        client->ask = (uint8_t)(ask - client->asks);
    }
    send(client, now);
}

static void finish(struct pw_rapi_client *client, pw_ms now)
{
    if (client->tries > 0 || client->urges > 0) {
        client->streak = 0;
    } else if (client->streak < UINT8_MAX) {
        client->streak++;
    }
    if (client->ids != PW_RAPI_IDS_YES && client->tries > 0) {
        client->quiet_until = now + SETTLE_MS;
    }
    client->job = PW_RAPI_JOB_NONE;
}

struct pw_str pw_rapi_out(const struct pw_rapi_client *client)
{
    return (struct pw_str){.at = client->tx, .len = client->tx_len};
}

void pw_rapi_out_sent(struct pw_rapi_client *client, size_t len, pw_ms now)
{
    PW_ASSERT(len <= client->tx_len);
    if (len == 0) {
        return;
    }
    client->tx_len = (uint8_t)(client->tx_len - len);
    memmove(client->tx, client->tx + len, client->tx_len);
    client->sent_at = now;
}

// ---------------------------------------------------------------------------------------------
// Whether there is anybody.

static void say(const struct pw_rapi_client *client, enum pw_level level, const char *event)
{
    struct pw_line line;
    pw_line(&line, client->log, level, "rapi", event);
    pw_line_s(&line, "firmware", client->view.firmware);
    pw_line_s(&line, "why", client->view.why);
    pw_line_s(&line, "command", client->view.failed);
    pw_line_end(&line);
}

static void set_ok(struct pw_rapi_client *client, bool ok, const char *why)
{
    bool was = client->view.ok;
    client->view.ok = ok;
    client->view.why = why;
    if (ok) {
        client->view.failed[0] = '\0';
    }
    if (was != ok) {
        say(client, ok ? PW_LOG_INFO : PW_LOG_WARN, ok ? "board-answers" : "board-silent");
    }
}

static void forget_job(struct pw_rapi_client *client)
{
    client->job = PW_RAPI_JOB_NONE;
    client->tx_len = 0;
}

// Three tries, no answer: a while of silence, then everything from the beginning.
static void go_silent(struct pw_rapi_client *client, pw_ms now)
{
    const struct pw_rapi_view *view = &client->view;
    char text[PW_RAPI_COMMAND_MAX + 1];
    struct pw_out body = PW_OUT(text);
    pw_rapi_plan_line(client, &body);
    memcpy(client->view.failed, text + 1, 2);
    client->view.failed[2] = '\0';
    forget_job(client);
    fail_asks(client, now);
    set_ok(client, false,
           view->heard_at == PW_NEVER ? "the board has not answered yet"
                                      : "the board does not answer");
    pw_rapi_plan_anew(client, now);
    client->ids = PW_RAPI_IDS_UNKNOWN;
    client->streak = 0;
    client->quiet_until = now + (pw_ms)client->config.error_reset_ms;
}

static void again(struct pw_rapi_client *client, pw_ms now)
{
    client->tries++;
    if (client->tries < TRIES) {
        send(client, now);
        return;
    }
    pw_rapi_plan_failed(client, false, now);
    finish(client, now);
}

static void time_out(struct pw_rapi_client *client, pw_ms now)
{
    if (client->job == PW_RAPI_JOB_RESTART) {
        pw_rapi_plan_over(client, now); // it need not answer
        finish(client, now);
        return;
    }
    client->view.timeouts++;
    client->tries++;
    if (client->tries < TRIES) {
        send(client, now);
    } else if (client->job == PW_RAPI_JOB_ASK) {
        fail_ask(&client->asks[client->ask], now); // boards drop what they cannot take in
        pw_rapi_plan_over(client, now);
        finish(client, now);
    } else {
        go_silent(client, now);
    }
}

static pw_ms deadline_of_answer(const struct pw_rapi_client *client)
{
    return client->sent_at + (pw_ms)client->config.timeout_ms + (pw_ms)client->slow_ms;
}

// ---------------------------------------------------------------------------------------------
// What the board says.

static void restarted(struct pw_rapi_client *client, pw_ms now)
{
    if (client->job == PW_RAPI_JOB_ASK) {
        fail_ask(&client->asks[client->ask], now);
    }
    forget_job(client);
    client->view.reboots++;
    client->asked_to_restart = false;
    client->quiet_until = client->ids == PW_RAPI_IDS_YES ? now : now + SETTLE_MS;
    pw_rapi_plan_anew(client, now);
    struct pw_line line;
    pw_line(&line, client->log, PW_LOG_WARN, "rapi", "board-restarted");
    pw_line_s(&line, "firmware", client->view.firmware);
    pw_line_int(&line, "post", client->view.post);
    pw_line_end(&line);
}

// True when the line is one a board sends by itself, good or bad.
static bool take_event(struct pw_rapi_client *client, const struct pw_rapi_line *line, pw_ms now)
{
    static const struct {
        const char *name;
        pw_rapi_take *take; // NULL: nothing in it is kept but the line
    } rows[] = {
        {"AT", pw_rapi_take_transition},     {"AB", pw_rapi_take_boot}, {"AN", NULL}, {"WF", NULL},
        {"ST", pw_rapi_take_old_transition},
    };
    for (unsigned i = 0; i < PW_COUNT(rows); i++) {
        if (!pw_str_is(line->word[0], rows[i].name)) {
            continue;
        }
        if (line->body.len >= PW_RAPI_EVENT_MAX ||
            (rows[i].take != NULL && !rows[i].take(&client->view, line, now))) {
            client->view.bad++;
            return true;
        }
        if (rows[i].take == pw_rapi_take_boot) {
            restarted(client, now);
        }
        memcpy(client->view.event, line->body.at, line->body.len);
        client->view.event[line->body.len] = '\0';
        client->view.events++;
        return true;
    }
    return false;
}

// Whether an $OK or $NK belongs to what is outstanding. A bare $NK may be the answer to a command
// whose id did not arrive.
static bool is_ours(const struct pw_rapi_client *client, const struct pw_rapi_line *line)
{
    if (client->job == PW_RAPI_JOB_NONE) {
        return false;
    }
    if (line->seq != 0) {
        return line->seq == client->seq;
    }
    return client->seq == 0 || client->ids != PW_RAPI_IDS_YES || pw_str_is(line->word[0], "NK");
}

static void learn_ids(struct pw_rapi_client *client, const struct pw_rapi_line *line, bool ok)
{
    if (line->seq != 0) {
        client->ids = PW_RAPI_IDS_YES;
    } else if (ok && client->seq != 0 && client->ids == PW_RAPI_IDS_UNKNOWN) {
        client->ids = PW_RAPI_IDS_NO;
    }
}

static void take_ask(struct pw_rapi_client *client, const struct pw_rapi_line *line, bool ok,
                     pw_ms now)
{
    if (!ok && line->words == 1 && client->tries == 0) {
        again(client, now); // refused, or not understood
        return;
    }
    end_ask(&client->asks[client->ask], line->body, now);
    // It may have changed whatever we believe.
    client->due[PW_RAPI_JOB_STATE] = now;
    client->due[PW_RAPI_JOB_CAPACITY] = now;
    pw_rapi_plan_over(client, now);
    finish(client, now);
}

static void note_answer(struct pw_rapi_client *client, const struct pw_rapi_line *line, pw_ms now)
{
    struct pw_rapi_view *view = &client->view;
    struct pw_out answer = PW_OUT(view->answer);
    memcpy(view->answered, client->name, sizeof(view->answered));
    pw_put(&answer, line->body);
    view->answer_ms = (int32_t)pw_min((int64_t)(now - client->sent_at), INT32_MAX);
    view->answers++;
}

static void take_answer(struct pw_rapi_client *client, const struct pw_rapi_line *line, pw_ms now)
{
    bool ok = pw_str_is(line->word[0], "OK");
    if (!is_ours(client, line)) {
        client->view.stray++;
        return;
    }
    client->tx_len = 0;
    note_answer(client, line, now);
    client->view.refusals += ok ? 0 : 1;
    if (client->job == PW_RAPI_JOB_ASK) {
        learn_ids(client, line, ok);
        take_ask(client, line, ok, now);
        return;
    }
    enum pw_rapi_job job = (enum pw_rapi_job)client->job;
    if (pw_rapi_plan_answer(client, line, now) == PW_RAPI_AGAIN) {
        again(client, now);
        return;
    }
    learn_ids(client, line, ok);
    if (job == PW_RAPI_JOB_VERSION && ok) {
        client->unchecked = line->check == PW_RAPI_CHECK_NONE;
    }
    finish(client, now);
    if (job == PW_RAPI_JOB_RESTART && ok) {
        client->quiet_until = now + RESTART_MS; // or its $AB
    }
    set_ok(client, true, "");
}

static bool is_plain(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~') {
            return false;
        }
    }
    return true;
}

// A line without a checksum is believed of boards that make none (RAPI before 2.0), and which do
// not is seen by their first answer.
static bool is_believed(struct pw_rapi_client *client, const struct pw_rapi_line *line)
{
    if (line->check != PW_RAPI_CHECK_NONE) {
        client->unchecked = false;
        return true;
    }
    return client->unchecked ||
           (client->job == PW_RAPI_JOB_VERSION && pw_str_is(line->word[0], "OK"));
}

static void take_line(struct pw_rapi_client *client, struct pw_str text, pw_ms now)
{
    struct pw_rapi_view before = client->view;
    struct pw_rapi_line line;
    if (!is_plain(text) || pw_rapi_split(text, &line) != PW_OK || !is_believed(client, &line)) {
        client->view.bad++;
        return;
    }
    client->view.heard_at = now;
    if (pw_str_is(line.word[0], "OK") || pw_str_is(line.word[0], "NK")) {
        take_answer(client, &line, now);
    } else if (!take_event(client, &line, now)) {
        client->view.stray++; // our own words, when the board echoes
    }
    pw_rapi_plan_heard(client, &before, now);
}

size_t pw_rapi_bytes(struct pw_rapi_client *client, const uint8_t *at, size_t len)
{
    size_t room = sizeof(client->rx) - client->rx_len;
    size_t taken = len < room ? len : room;
    if (taken > 0) {
        memcpy(client->rx + client->rx_len, at, taken);
    }
    client->rx_len = (uint16_t)(client->rx_len + taken);
    return taken;
}

static void drain(struct pw_rapi_client *client, pw_ms now)
{
    struct pw_rapi_reader *reader = &client->reader;
    uint32_t dropped = reader->dropped;
    for (uint16_t i = 0; i < client->rx_len; i++) {
        if (pw_rapi_read(reader, client->rx[i])) {
            take_line(client, (struct pw_str){.at = reader->text, .len = reader->len}, now);
        }
    }
    client->rx_len = 0;
    client->view.bad += reader->dropped - dropped;
}

// ---------------------------------------------------------------------------------------------
// The machine.

void pw_rapi_up(struct pw_rapi_client *client, pw_ms now)
{
    pw_rapi_down(client, "the board has not answered yet", now);
    client->view.up = true;
    client->quiet_until = now;
    pw_rapi_plan_anew(client, now);
}

void pw_rapi_down(struct pw_rapi_client *client, const char *reason, pw_ms now)
{
    set_ok(client, false, reason);
    client->view.up = false;
    client->view.heard_at = PW_NEVER;
    pw_rapi_forget(&client->view);
    forget_job(client);
    fail_asks(client, now);
    client->rx_len = 0;
    client->reader.inside = false;
    client->ids = PW_RAPI_IDS_UNKNOWN;
    client->unchecked = false;
    client->streak = 0;
    client->asked_to_restart = false;
    pw_rapi_plan_judge(client);
}

void pw_rapi_want(struct pw_rapi_client *client, const struct pw_rapi_want *want)
{
    struct pw_rapi_want last = client->want;
    struct pw_rapi_want *next = &client->want;
    *next = *want;
    for (unsigned row = 0; row < PW_RAPI_LCD_LINES; row++) {
        char *text = next->lcd[row];
        text[PW_RAPI_LCD_COLUMNS] = '\0';
        size_t len = strlen(text);
        memset(text + len, 0, sizeof(next->lcd[row]) - len); // texts are compared whole
    }
    if (!client->wanted || last.power != next->power || last.limit_ma != next->limit_ma ||
        last.let_go != next->let_go) {
        client->wanted = true;
        pw_rapi_plan_wanted(client);
    }
}

int pw_rapi_restart(struct pw_rapi_client *client, pw_ms now)
{
    if (!client->view.ok || client->asked_to_restart || client->view.relay) {
        return PW_ERR_BUSY;
    }
    client->asked_to_restart = true;
    client->due[PW_RAPI_JOB_RESTART] = now;
    return PW_OK;
}

const struct pw_rapi_view *pw_rapi_view(const struct pw_rapi_client *client)
{
    return &client->view;
}

pw_ms pw_rapi_step(struct pw_rapi_client *client, pw_ms now)
{
    if (!client->view.up) {
        return PW_NEVER;
    }
    drain(client, now);
    if (client->job != PW_RAPI_JOB_NONE && deadline_of_answer(client) <= now) {
        time_out(client, now);
    } else if (client->job != PW_RAPI_JOB_NONE && is_urged(client) && urged_at(client) <= now) {
        urge(client, now);
    }
    if (client->job == PW_RAPI_JOB_NONE && client->quiet_until <= now) {
        enum pw_rapi_job next = pw_rapi_plan_next(client, now);
        if (next != PW_RAPI_JOB_NONE) {
            begin(client, next, now);
        }
    }
    pw_rapi_plan_judge(client);
    if (client->job != PW_RAPI_JOB_NONE) {
        return is_urged(client) ? urged_at(client) : deadline_of_answer(client);
    }
    pw_ms next = pw_rapi_plan_deadline(client);
    return next > client->quiet_until ? next : client->quiet_until;
}
