#include "modbus/line.h"

#include "modbus/snapshot.h"

#include <errno.h>
#include <modbus.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD_MIN_MS 20    // real time, however fast the clock runs
#define REST_US       20000 // serial meters need a rest between two requests
#define LOOK_MS       100   // between two looks whether a meter has signed; real time
#define LEAVE_MS      2000  // for the answer that is being waited for, connection included

// Of a meter that signs.
struct signing {
    const struct pw_modbus_signer *signer; // never changes; NULL: it does not
    // The thread's own.
    bool busy;
    pw_ms due; // of the next exchange; real time
    pw_ms until;
    pw_ms clock_at; // when its clock was last set; PW_NEVER: not since the program began
    struct pw_modbus_snapshot snapshot;
    // Shared, under the line's lock.
    bool wanted;
    struct pw_signed_request request;
    bool over;
    struct pw_modbus_signed result;
};

struct meter {
    struct pw_modbus_url url; // never changes
    struct signing signing;
    // The thread's own.
    pw_ms due;       // real time
    unsigned failed; // in a row
    bool noted;      // the present failure has been announced
    // Shared, under the line's lock.
    bool fresh;
    struct pw_board_mains mains;
    bool news;
    struct pw_modbus_state state;
};

struct line {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    unsigned holders; // the loop's side and the thread: the last one frees
    bool stop;
    bool ended;
    bool ordered;          // something is to be signed
    struct pw_loop *loop;  // not touched once `stop` is set
    struct pw_clock clock; // the loop's
    struct pw_clock pace;  // real time
    unsigned timeout_ms;
    modbus_t *wire;           // the thread's own; NULL: none
    struct pw_modbus_url url; // of its first meter
    unsigned count;
    struct meter meter[PW_MODBUS_METERS_MAX];
};

struct pw_modbus_meters {
    struct pw_loop *loop;
    unsigned timeout_ms;
    unsigned lines;
    struct line *line[PW_MODBUS_METERS_MAX];
    unsigned count;
    struct {
        struct line *line;
        unsigned slot;
    } meter[PW_MODBUS_METERS_MAX];
};

static void lock(struct line *line)
{
    (void)pthread_mutex_lock(&line->lock);
}

static void unlock(struct line *line)
{
    (void)pthread_mutex_unlock(&line->lock);
}

// ---------------------------------------------------------------------------------------------
// The thread: connecting and reading

static void hang_up(struct line *line)
{
    if (line->wire != NULL) {
        modbus_close(line->wire);
        modbus_free(line->wire);
        line->wire = NULL;
    }
}

static bool connect_wire(struct line *line)
{
    const struct pw_modbus_url *url = &line->url;
    if (line->wire != NULL) {
        return true;
    }
    line->wire = url->serial ? modbus_new_rtu(url->place, (int)url->baud, url->parity, 8, url->stop)
                             : modbus_new_tcp_pi(url->place, url->port);
    if (line->wire == NULL) {
        return false;
    }
    (void)modbus_set_response_timeout(line->wire, line->timeout_ms / 1000,
                                      line->timeout_ms % 1000 * 1000);
    if (modbus_connect(line->wire) == 0) {
        return true;
    }
    int err = errno;
    hang_up(line);
    errno = err;
    return false;
}

static bool is_exception(int err)
{
    return err > MODBUS_ENOBASE && err <= EMBXGTAR;
}

// What is left of a bad answer must not be taken for the next one.
static void recover(struct line *line, int err)
{
    bool garbled = err == ETIMEDOUT || err >= EMBBADCRC;
    if (line->url.serial && garbled) {
        (void)modbus_flush(line->wire);
    } else {
        hang_up(line);
    }
}

static int ask(struct line *line, const struct pw_modbus_request *request, uint16_t *words)
{
    if (line->url.serial) {
        const struct timespec rest = {.tv_nsec = REST_US * 1000L};
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
    }
    return request->table == PW_MODBUS_INPUT
               ? modbus_read_input_registers(line->wire, request->address, request->words, words)
               : modbus_read_registers(line->wire, request->address, request->words, words);
}

static int write_words(struct line *line, const struct pw_modbus_exchange *exchange)
{
    if (line->url.serial) {
        const struct timespec rest = {.tv_nsec = REST_US * 1000L};
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
    }
    return modbus_write_registers(line->wire, exchange->address, exchange->words, exchange->word);
}

// One cycle. 0, or the errno of what went wrong. A meter that refuses one request may answer the
// others: only when it refuses all is that a failure.
static int read_meter(struct line *line, struct meter *meter, struct pw_board_mains *mains)
{
    struct pw_modbus_reader reader;
    struct pw_modbus_request request;
    uint16_t words[PW_MODBUS_WORDS_MAX];
    pw_ms at = PW_NEVER;
    int refused = EIO;
    if (!connect_wire(line) || modbus_set_slave(line->wire, meter->url.unit) != 0) {
        return errno;
    }
    pw_modbus_begin(&reader, meter->url.map);
    while (pw_modbus_next(&reader, &request)) {
        int got = ask(line, &request, words);
        if (got < 0 && is_exception(errno)) {
            refused = errno;
        } else if (got < 0 || pw_modbus_answer(&reader, words, (size_t)got) != PW_OK) {
            int err = got < 0 ? errno : EMBBADDATA;
            recover(line, err);
            return err;
        } else if (at == PW_NEVER) {
            at = pw_clock_now(&line->clock);
        }
    }
    *mains = reader.mains;
    mains->at = at;
    return at == PW_NEVER ? refused : 0;
}

// ---------------------------------------------------------------------------------------------
// The thread: handing over

static void announce(struct line *line, struct meter *meter)
{
    meter->news = true;
    if (!line->stop) {
        pw_loop_wake(line->loop);
    }
}

static void succeed(struct line *line, struct meter *meter, const struct pw_board_mains *mains)
{
    meter->failed = 0;
    meter->noted = false;
    lock(line);
    bool was_up = meter->state.up;
    meter->state.up = true;
    meter->state.readings++;
    meter->mains = *mains;
    meter->fresh = true;
    if (!was_up) {
        announce(line, meter);
    } else if (!line->stop) {
        pw_loop_wake(line->loop);
    }
    unlock(line);
}

static void fail(struct line *line, struct meter *meter, int err)
{
    meter->failed++;
    if (meter->failed == PW_MODBUS_DOWN_AFTER && !meter->signing.busy) {
        // One that comes back may be another one, or without its clock.
        meter->signing.clock_at = PW_NEVER;
        meter->signing.snapshot.reading.key_len = 0;
    }
    lock(line);
    struct pw_out why = PW_OUT(meter->state.why);
    pw_put_s(&why, err == ETIMEDOUT ? "no answer" : modbus_strerror(err));
    meter->state.failures++;
    bool falls = meter->state.up && meter->failed >= PW_MODBUS_DOWN_AFTER;
    bool never = !meter->state.up && !meter->noted;
    if (falls || never) {
        meter->state.up = false;
        meter->noted = true;
        announce(line, meter);
    }
    unlock(line);
}

static pw_ms pause_of(const struct line *line, const struct meter *meter)
{
    pw_ms period = pw_clock_real(&line->clock, PW_MODBUS_PERIOD_MS);
    if (meter->failed < PW_MODBUS_DOWN_AFTER) {
        return period < PERIOD_MIN_MS ? PERIOD_MIN_MS : period;
    }
    unsigned doubled = meter->failed - PW_MODBUS_DOWN_AFTER;
    pw_ms pause = doubled >= 10 ? PW_MODBUS_PAUSE_MAX : (pw_ms)line->timeout_ms << doubled;
    return pause < PW_MODBUS_PAUSE_MAX ? pause : PW_MODBUS_PAUSE_MAX;
}

static void poll_meter(struct line *line, struct meter *meter)
{
    struct pw_board_mains mains;
    pw_ms began = pw_clock_now(&line->pace);
    int err = read_meter(line, meter, &mains);
    if (err == 0) {
        succeed(line, meter, &mains);
    } else {
        fail(line, meter, err);
    }
    meter->due = pw_after(began, pause_of(line, meter));
}

// ---------------------------------------------------------------------------------------------
// The thread: having readings signed

static void end_signing(struct line *line, struct meter *meter, const char *why)
{
    struct signing *signing = &meter->signing;
    struct pw_modbus_signed *result = &signing->result;
    signing->busy = false;
    lock(line);
    struct pw_out out = PW_OUT(result->why);
    result->ticket = signing->snapshot.request.ticket;
    result->reading = signing->snapshot.reading;
    result->why[0] = '\0';
    if (why != NULL) {
        result->reading.len = 0;
        pw_put_s(&out, why);
    }
    signing->over = true;
    if (!line->stop) {
        pw_loop_wake(line->loop);
    }
    unlock(line);
}

static void begin_signing(struct line *line, struct meter *meter)
{
    struct signing *signing = &meter->signing;
    const struct pw_signed_reading *known =
        signing->snapshot.reading.key_len > 0 ? &signing->snapshot.reading : NULL;
    struct pw_signed_reading key = {.key_len = 0};
    struct pw_signed_request request;
    lock(line);
    bool wanted = signing->wanted;
    request = signing->request;
    signing->wanted = false;
    unlock(line);
    if (!wanted) {
        return;
    }
    pw_ms now = pw_clock_now(&line->clock);
    bool clock = signing->clock_at == PW_NEVER ||
                 now - signing->clock_at >= (pw_ms)PW_MODBUS_CLOCK_EVERY_H * 3600000;
    if (known != NULL) {
        key = *known; // it lies in what is begun anew
    }
    pw_modbus_snapshot_begin(&signing->snapshot, signing->signer, &request, clock, &key);
    signing->busy = true;
    signing->due = pw_clock_now(&line->pace);
    signing->until = pw_after(signing->due, pw_clock_real(&line->clock, request.wait_ms));
}

// 0, or the errno of what went wrong.
static int exchange(struct line *line, struct meter *meter, struct pw_modbus_exchange *exchange)
{
    if (!connect_wire(line) || modbus_set_slave(line->wire, meter->url.unit) != 0) {
        return errno;
    }
    const struct pw_modbus_request request = {
        .table = PW_MODBUS_HOLDING, .address = exchange->address, .words = exchange->words};
    int got = exchange->write ? write_words(line, exchange) : ask(line, &request, exchange->word);
    int err = got == exchange->words ? 0 : got < 0 ? errno : EMBBADDATA;
    if (err != 0 && !is_exception(err)) {
        recover(line, err);
    }
    return err;
}

static void step_signing(struct line *line, struct meter *meter)
{
    struct signing *signing = &meter->signing;
    struct pw_modbus_exchange next;
    char why[96] = "";
    struct pw_out out = PW_OUT(why);
    pw_ms now = pw_clock_now(&line->pace);
    if (now >= signing->until) {
        end_signing(line, meter, "no answer in time");
        return;
    }
    bool more = pw_modbus_snapshot_next(&signing->snapshot, &next);
    bool clock = signing->snapshot.stage == PW_STAGE_CLOCK;
    int err = exchange(line, meter, &next);
    if (err == EMBXILADD || err == EMBXILFUN) {
        end_signing(line, meter, modbus_strerror(err)); // it has no such registers
        return;
    }
    signing->due = pw_after(now, err != 0 || next.look ? LOOK_MS : 0);
    if (err != 0) {
        return; // the same again, until the time is over
    }
    signing->clock_at = clock ? pw_clock_now(&line->clock) : signing->clock_at;
    if (more && pw_modbus_snapshot_answer(&signing->snapshot, &next, &out) != PW_OK) {
        end_signing(line, meter, why);
    } else if (signing->snapshot.stage == PW_STAGE_DONE) {
        end_signing(line, meter, NULL);
    }
}

// When it wants to go on; PW_NEVER: nothing is to be signed.
static pw_ms sign(struct line *line, struct meter *meter)
{
    struct signing *signing = &meter->signing;
    if (signing->signer == NULL) {
        return PW_NEVER;
    }
    begin_signing(line, meter);
    if (signing->busy && pw_clock_now(&line->pace) >= signing->due) {
        step_signing(line, meter);
    }
    return signing->busy ? signing->due : PW_NEVER;
}

// Sleeps until `at` or until something has changed. False: it is over.
static bool wait_until(struct line *line, pw_ms at)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    pw_ms now = pw_clock_now(&line->pace);
    bool early = at > now;
    pw_ms span = early && at - now < 1000 ? at - now : 1000;
    until.tv_nsec += (long)(span * 1000000U);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    lock(line);
    if (!line->stop && early && !line->ordered) {
        (void)pthread_cond_timedwait(&line->changed, &line->lock, &until);
    }
    line->ordered = false;
    bool on = !line->stop;
    unlock(line);
    return on;
}

static void let_go(struct line *line)
{
    lock(line);
    line->holders--;
    bool last = line->holders == 0;
    unlock(line);
    if (last) {
        (void)pthread_cond_destroy(&line->changed);
        (void)pthread_mutex_destroy(&line->lock);
        free(line);
    }
}

static void *run(void *context)
{
    struct line *line = context;
    pw_ms at = 0;
    while (wait_until(line, at)) {
        lock(line);
        unsigned count = line->count;
        unlock(line);
        at = PW_NEVER;
        for (unsigned i = 0; i < count; i++) {
            if (pw_clock_now(&line->pace) >= line->meter[i].due) {
                poll_meter(line, &line->meter[i]);
            }
            at = pw_earlier(at, line->meter[i].due);
            at = pw_earlier(at, sign(line, &line->meter[i]));
        }
    }
    hang_up(line);
    lock(line);
    line->ended = true;
    (void)pthread_cond_broadcast(&line->changed);
    unlock(line);
    let_go(line);
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// The loop's side

struct pw_modbus_meters *pw_modbus_open(struct pw_loop *loop, unsigned timeout_ms)
{
    PW_ASSERT(timeout_ms >= 50 && timeout_ms <= 5000);
    struct pw_modbus_meters *meters = calloc(1, sizeof(*meters));
    if (meters != NULL) {
        meters->loop = loop;
        meters->timeout_ms = timeout_ms;
    }
    return meters;
}

// Signals are the loop's: the thread takes none.
static int start_thread(struct line *line)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&line->thread, NULL, run, line);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        (void)pthread_detach(line->thread);
    }
    return rc == 0 ? PW_OK : PW_ERR_LIMIT;
}

static struct line *new_line(struct pw_modbus_meters *meters, const struct pw_modbus_url *url)
{
    struct line *line = calloc(1, sizeof(*line));
    pthread_condattr_t attributes;
    if (line == NULL || pw_clock_init(&line->pace, NULL) != PW_OK) {
        free(line);
        return NULL;
    }
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&line->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&line->lock, NULL);
    line->loop = meters->loop;
    line->clock = *meters->loop->clock;
    line->url = *url;
    line->timeout_ms = meters->timeout_ms;
    line->holders = 1;
    return line;
}

static struct line *line_of(struct pw_modbus_meters *meters, const struct pw_modbus_url *url)
{
    for (unsigned i = 0; i < meters->lines; i++) {
        if (pw_modbus_url_same_line(&meters->line[i]->url, url)) {
            return meters->line[i];
        }
    }
    struct line *line = new_line(meters, url);
    if (line == NULL) {
        return NULL;
    }
    line->holders = 2;
    if (start_thread(line) != PW_OK) {
        line->holders = 1;
        let_go(line);
        return NULL;
    }
    meters->line[meters->lines++] = line;
    return line;
}

int pw_modbus_add(struct pw_modbus_meters *meters, struct pw_str text, struct pw_out *why)
{
    struct pw_modbus_url url;
    int err = pw_modbus_url_read(text, &url, why);
    if (err < 0) {
        return err;
    }
    struct line *line = meters->count < PW_MODBUS_METERS_MAX ? line_of(meters, &url) : NULL;
    if (line == NULL) {
        pw_put_s(why, meters->count < PW_MODBUS_METERS_MAX ? "no thread is to be had for its line"
                                                           : "there are too many meters");
        return PW_ERR_LIMIT;
    }
    lock(line);
    unsigned slot = line->count++;
    line->meter[slot] = (struct meter){
        .url = url,
        .signing = {.signer = pw_modbus_signer_of(url.map), .clock_at = PW_NEVER},
    };
    (void)pthread_cond_broadcast(&line->changed);
    unlock(line);
    meters->meter[meters->count].line = line;
    meters->meter[meters->count].slot = slot;
    return (int)meters->count++;
}

bool pw_modbus_take(struct pw_modbus_meters *meters, unsigned meter, struct pw_board_mains *mains)
{
    PW_ASSERT(meter < meters->count);
    struct line *line = meters->meter[meter].line;
    struct meter *from = &line->meter[meters->meter[meter].slot];
    lock(line);
    bool fresh = from->fresh;
    if (fresh) {
        *mains = from->mains;
        from->fresh = false;
    }
    unlock(line);
    return fresh;
}

bool pw_modbus_news(struct pw_modbus_meters *meters, unsigned meter, struct pw_modbus_state *state)
{
    PW_ASSERT(meter < meters->count);
    struct line *line = meters->meter[meter].line;
    struct meter *from = &line->meter[meters->meter[meter].slot];
    lock(line);
    bool news = from->news;
    from->news = false;
    *state = from->state;
    unlock(line);
    return news;
}

bool pw_modbus_signs(const struct pw_modbus_meters *meters, unsigned meter)
{
    PW_ASSERT(meter < meters->count);
    return meters->meter[meter].line->meter[meters->meter[meter].slot].signing.signer != NULL;
}

void pw_modbus_sign(struct pw_modbus_meters *meters, unsigned meter,
                    const struct pw_signed_request *request)
{
    PW_ASSERT(meter < meters->count);
    struct line *line = meters->meter[meter].line;
    struct signing *signing = &line->meter[meters->meter[meter].slot].signing;
    lock(line);
    signing->request = *request;
    signing->wanted = true;
    line->ordered = true;
    (void)pthread_cond_broadcast(&line->changed);
    unlock(line);
}

bool pw_modbus_signed(struct pw_modbus_meters *meters, unsigned meter,
                      struct pw_modbus_signed *result)
{
    PW_ASSERT(meter < meters->count);
    struct line *line = meters->meter[meter].line;
    struct signing *signing = &line->meter[meters->meter[meter].slot].signing;
    lock(line);
    bool over = signing->over;
    if (over) {
        *result = signing->result;
        signing->over = false;
    }
    unlock(line);
    return over;
}

static void stop(struct line *line)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LEAVE_MS / 1000;
    int rc = 0;
    lock(line);
    line->stop = true;
    (void)pthread_cond_broadcast(&line->changed);
    while (!line->ended && rc == 0) {
        rc = pthread_cond_timedwait(&line->changed, &line->lock, &until);
    }
    unlock(line);
    let_go(line);
}

void pw_modbus_close(struct pw_modbus_meters *meters)
{
    if (meters == NULL) {
        return;
    }
    for (unsigned i = 0; i < meters->lines; i++) {
        stop(meters->line[i]);
    }
    free(meters);
}
