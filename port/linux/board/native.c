// A board made of this machine's own lines: GPIO, PWM, converters. The sampler's thread is its
// watchdog too: when the loop says nothing for PW_BOARD_SILENCE_MS, the thread opens.
#include "board/kind.h"
#include "board/pins.h"
#include "board/pwm.h"
#include "board/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PERIOD_PPM 1000000
#define BLINK_MS   500

struct native {
    struct pw_pins pins;
    struct pw_pwm pwm;
    struct pw_sampler sampler;
    int epoll; // every descriptor of the board behind one
    struct pw_board_drive drive;
    pw_ms pulse_until; // of the lock's motor; PW_NEVER: at rest
    pw_ms blink_at;
    bool blink;

    struct pw_board_senses senses;
    struct pw_board_block block;
    pw_ms sampled_at; // of the sample that was taken last, monotonic clock
    bool senses_due;
    bool block_due;
    bool told_up;

    // What the watchdog shares with the loop. Each lock is held for one system call, so that a
    // pilot that hangs cannot keep the contactor closed.
    pthread_mutex_t contactor_lock;
    bool barred; // with contactor_lock: the watchdog has opened, and no drive has since
    pthread_mutex_t pilot_lock;
    atomic_ullong driven_at; // monotonic clock
    atomic_bool failed;      // the system refused the watchdog
};

// ---------------------------------------------------------------------------------------------
// Outputs.

static int set_contactor(struct native *own, bool closed)
{
    (void)pthread_mutex_lock(&own->contactor_lock);
    own->barred = own->barred && closed;
    int err = pw_pins_set(&own->pins, PW_BOARD_LINE_CONTACTOR, closed && !own->barred);
    (void)pthread_mutex_unlock(&own->contactor_lock);
    return err;
}

static int set_pilot(struct native *own, int32_t high_ppm)
{
    (void)pthread_mutex_lock(&own->pilot_lock);
    int err = pw_pwm_set(&own->pwm, high_ppm);
    (void)pthread_mutex_unlock(&own->pilot_lock);
    return err;
}

static bool is_silent(struct native *own)
{
    return pw_elapsed(atomic_load(&own->driven_at), PW_BOARD_SILENCE_MS, pw_sampler_clock());
}

// On the sampler's thread. The time is looked at under the lock: a drive that came meanwhile wins.
static void watchdog(void *context)
{
    struct native *own = context;
    if (!is_silent(own)) {
        return;
    }
    int err = PW_OK;
    (void)pthread_mutex_lock(&own->contactor_lock);
    if (is_silent(own)) {
        own->barred = true;
        err = pw_pins_set(&own->pins, PW_BOARD_LINE_CONTACTOR, false);
    }
    (void)pthread_mutex_unlock(&own->contactor_lock);
    (void)pthread_mutex_lock(&own->pilot_lock);
    if (is_silent(own) && pw_pwm_set(&own->pwm, 0) != PW_OK) {
        err = PW_ERR_PEER;
    }
    (void)pthread_mutex_unlock(&own->pilot_lock);
    if (err != PW_OK) {
        atomic_store(&own->failed, true);
    }
}

static int32_t high_of(const struct pw_board_drive *drive)
{
    switch (drive->cp) {
    case PW_BOARD_CP_FAULT: return 0;
    case PW_BOARD_CP_STEADY: return PERIOD_PPM;
    case PW_BOARD_CP_PWM: return drive->duty_ppm;
    }
    PW_UNREACHABLE();
}

// The lock's motor gets one pulse whenever the wish changes.
static void turn_lock(struct native *own, const struct pw_hardware *hardware, bool lock, pw_ms now)
{
    if (lock != own->drive.lock && (pw_pins_has(&own->pins, PW_BOARD_LINE_LOCK_CLOSE) ||
                                    pw_pins_has(&own->pins, PW_BOARD_LINE_LOCK_OPEN))) {
        own->pulse_until = pw_after(now, (pw_ms)hardware->file.lock_pulse_ms);
    }
}

static bool lamp_is_green(const struct native *own)
{
    return own->drive.lamp == PW_BOARD_LAMP_READY ||
           (own->drive.lamp == PW_BOARD_LAMP_WAITING && own->blink);
}

// Everything but contactor and pilot, as own->drive and the time want it.
static int set_rest(struct native *own)
{
    const struct pw_board_drive *drive = &own->drive;
    bool pulse = own->pulse_until != PW_NEVER;
    const struct {
        enum pw_board_line_id id;
        bool value;
    } rows[] = {
        {PW_BOARD_LINE_LOCK_CLOSE, pulse && drive->lock},
        {PW_BOARD_LINE_LOCK_OPEN, pulse && !drive->lock},
        {PW_BOARD_LINE_LOCK, drive->lock},
        {PW_BOARD_LINE_RCD_TEST, drive->rcd_test},
        {PW_BOARD_LINE_VENTILATION, drive->ventilation},
        {PW_BOARD_LINE_GREEN, lamp_is_green(own)},
        {PW_BOARD_LINE_BLUE, drive->lamp == PW_BOARD_LAMP_CHARGING},
        {PW_BOARD_LINE_RED, drive->lamp == PW_BOARD_LAMP_FAULT},
        {PW_BOARD_LINE_BUZZER, drive->buzzer},
    };
    int err = PW_OK;
    for (size_t i = 0; i < PW_COUNT(rows) && err == PW_OK; i++) {
        err = pw_pins_set(&own->pins, rows[i].id, rows[i].value);
    }
    return err;
}

static int drive_native(struct pw_hardware *hardware, const struct pw_board_drive *drive, pw_ms now)
{
    struct native *own = hardware->own;
    atomic_store(&own->driven_at, pw_sampler_clock());
    turn_lock(own, hardware, drive->lock, now);
    own->drive = *drive;
    // Open first, close last.
    int err = drive->contactor ? PW_OK : set_contactor(own, false);
    if (err == PW_OK) {
        err = set_pilot(own, high_of(drive));
    }
    if (err == PW_OK) {
        err = set_rest(own);
    }
    if (err == PW_OK && drive->contactor) {
        err = set_contactor(own, true);
    }
    hardware->deadline = now; // read says what is next
    return err;
}

static void off_native(struct pw_hardware *hardware)
{
    struct native *own = hardware->own;
    pw_pins_force(&own->pins, PW_BOARD_LINE_CONTACTOR, false);
    pw_pins_force(&own->pins, PW_BOARD_LINE_RCD_TEST, false);
    (void)!pw_pwm_set(&own->pwm, 0);
}

// ---------------------------------------------------------------------------------------------
// Inputs.

static void sense_pins(struct native *own, pw_ms now)
{
    const struct pw_pins *pins = &own->pins;
    struct pw_board_senses *to = &own->senses;
    if (pw_pins_has(pins, PW_BOARD_LINE_CONTACT)) {
        to->contact = pins->pin[PW_BOARD_LINE_CONTACT].value ? PW_BOARD_CONTACT_CLOSED
                                                             : PW_BOARD_CONTACT_OPEN;
    }
    if (pw_pins_has(pins, PW_BOARD_LINE_LOCKED)) {
        bool locked = pins->pin[PW_BOARD_LINE_LOCKED].value;
        bool moving = own->pulse_until != PW_NEVER && now < own->pulse_until;
        to->lock = locked ? PW_BOARD_LOCK_CLOSED : PW_BOARD_LOCK_OPEN;
        to->lock = moving && locked != own->drive.lock ? PW_BOARD_LOCK_MOVING : to->lock;
    }
    if (pw_pins_has(pins, PW_BOARD_LINE_RCD_TRIP)) {
        to->rcd = pins->pin[PW_BOARD_LINE_RCD_TRIP].value ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK;
    }
    if (pw_pins_has(pins, PW_BOARD_LINE_EARTH_LOST)) {
        to->earth =
            pins->pin[PW_BOARD_LINE_EARTH_LOST].value ? PW_BOARD_EARTH_LOST : PW_BOARD_EARTH_OK;
    }
    to->estop = pins->pin[PW_BOARD_LINE_ESTOP].value;
    (void)pthread_mutex_lock(&own->contactor_lock);
    to->opened = own->barred;
    (void)pthread_mutex_unlock(&own->contactor_lock);
}

static void take_sample(struct native *own, pw_ms now)
{
    const struct pw_sample sample = pw_sampler_take(&own->sampler);
    if (sample.at == PW_NEVER || sample.at == own->sampled_at || !sample.whole) {
        return; // what could not be read is old, and grows older
    }
    pw_ms clock = pw_sampler_clock();
    pw_ms age = sample.at < clock ? clock - sample.at : 0;
    own->sampled_at = sample.at;
    own->block.at = age < now ? now - age : 0;
    own->block.cp_high = sample.count[PW_SAMPLER_CP_HIGH];
    own->block.cp_low = sample.count[PW_SAMPLER_CP_LOW];
    own->block.pp = sample.count[PW_SAMPLER_PP];
    own->senses.at = own->block.at;
    for (size_t i = 0; i < PW_BOARD_PROBES; i++) {
        own->senses.temp_dc[i] = sample.temp_dc[i];
    }
    own->block_due = true;
    own->senses_due = true;
}

// Ends pulses, blinks; sets when to come back.
static int keep_time(struct pw_hardware *hardware, pw_ms now)
{
    struct native *own = hardware->own;
    if (own->pulse_until != PW_NEVER && now >= own->pulse_until) {
        own->pulse_until = PW_NEVER;
        own->senses_due = true;
    }
    bool blinks = own->drive.lamp == PW_BOARD_LAMP_WAITING;
    if (blinks && now >= own->blink_at) {
        own->blink = !own->blink;
        own->blink_at = pw_after(now, BLINK_MS);
    }
    hardware->deadline = pw_earlier(own->pulse_until, blinks ? own->blink_at : PW_NEVER);
    return set_rest(own);
}

// Edges and samples that are there, into senses and block.
static int gather(struct pw_hardware *hardware, pw_ms now)
{
    struct native *own = hardware->own;
    struct epoll_event ready[1 + PW_BOARD_LINES];
    int count = epoll_wait(own->epoll, ready, (int)PW_COUNT(ready), 0);
    bool sample = false;
    bool edge = false;
    for (int i = 0; i < count; i++) {
        sample = sample || ready[i].data.fd == own->sampler.wake;
        edge = edge || ready[i].data.fd != own->sampler.wake;
    }
    if ((edge || sample) && pw_pins_read(&own->pins) != PW_OK) {
        return PW_ERR_PEER;
    }
    if (sample) {
        take_sample(own, now);
    }
    own->senses_due = own->senses_due || edge;
    return atomic_load(&own->failed) ? PW_ERR_PEER : keep_time(hardware, now);
}

static int read_native(struct pw_hardware *hardware, pw_ms now, struct pw_hardware_event *event)
{
    struct native *own = hardware->own;
    if (!own->told_up) {
        own->told_up = true;
        event->up = true;
        event->why = "opened";
        return 1;
    }
    if (!own->block_due && !own->senses_due && gather(hardware, now) != PW_OK) {
        return PW_ERR_PEER;
    }
    if (own->block_due) {
        own->block_due = false;
        event->kind = PW_HARDWARE_BLOCK;
        event->block = &own->block;
        return 1;
    }
    if (own->senses_due) {
        own->senses_due = false;
        sense_pins(own, now);
        event->kind = PW_HARDWARE_SENSES;
        event->senses = &own->senses;
        return 1;
    }
    return 0;
}

// ---------------------------------------------------------------------------------------------

static int watch(struct native *own, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    return fd < 0 || epoll_ctl(own->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? PW_OK : PW_ERR_LIMIT;
}

static int watch_all(struct native *own, struct pw_out *why)
{
    own->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = own->epoll < 0 ? (int)PW_ERR_LIMIT : watch(own, own->sampler.wake);
    for (size_t id = PW_BOARD_OUTPUTS; id < PW_BOARD_LINES && err == PW_OK; id++) {
        err = watch(own,
                    pw_pins_has(&own->pins, (enum pw_board_line_id)id) ? own->pins.pin[id].fd : -1);
    }
    if (err != PW_OK) {
        pw_hardware_say(why, "lines cannot be watched", errno);
    }
    return err;
}

static void forget(struct native *own)
{
    own->senses = (struct pw_board_senses)PW_BOARD_NO_SENSES;
    own->drive = (struct pw_board_drive){.cp = PW_BOARD_CP_FAULT};
    own->pulse_until = PW_NEVER;
    own->sampled_at = PW_NEVER;
    atomic_store(&own->driven_at, pw_sampler_clock());
}

static int open_native(struct pw_hardware *hardware, pw_ms now, struct pw_out *why)
{
    const struct pw_board_file *file = &hardware->file;
    struct native *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    (void)pthread_mutex_init(&own->contactor_lock, NULL);
    (void)pthread_mutex_init(&own->pilot_lock, NULL);
    forget(own);
    hardware->own = own;
    own->epoll = -1;
    own->pwm.duty = -1;
    int err = pw_pins_open(&own->pins, file, why);
    if (err == PW_OK) {
        err = pw_pwm_open(&own->pwm, file, why);
    }
    if (err == PW_OK) {
        err = pw_sampler_open(&own->sampler, file, watchdog, own, why);
    }
    if (err == PW_OK) {
        err = watch_all(own, why);
    }
    if (err != PW_OK) {
        pw_hardware_native.close(hardware);
        return err;
    }
    hardware->fd = own->epoll;
    hardware->deadline = now;
    return PW_OK;
}

static void close_native(struct pw_hardware *hardware)
{
    struct native *own = hardware->own;
    pw_sampler_close(&own->sampler);
    pw_pwm_close(&own->pwm);
    pw_pins_close(&own->pins);
    if (own->epoll >= 0) {
        (void)close(own->epoll);
    }
    (void)pthread_mutex_destroy(&own->contactor_lock);
    (void)pthread_mutex_destroy(&own->pilot_lock);
    free(own);
    hardware->own = NULL;
}

static bool traits_native(const struct pw_hardware *hardware, struct pw_board_traits *traits)
{
    const struct native *own = hardware->own;
    const struct pw_board_file *file = &hardware->file;
    *traits = (struct pw_board_traits){
        .step_ppm = file->pwm_step_ppm,
        .no_feedback = !pw_pins_has(&own->pins, PW_BOARD_LINE_CONTACT),
        .blind_lock = !pw_pins_has(&own->pins, PW_BOARD_LINE_LOCKED),
        .no_rcd = !pw_pins_has(&own->pins, PW_BOARD_LINE_RCD_TRIP),
        .no_earth = !pw_pins_has(&own->pins, PW_BOARD_LINE_EARTH_LOST),
        .no_probe = file->probe[0][0] == '\0' && file->probe[1][0] == '\0',
        .blocks = true,
    };
    return true;
}

const struct pw_hardware_ops pw_hardware_native = {
    .open = open_native,
    .close = close_native,
    .read = read_native,
    .drive = drive_native,
    .off = off_native,
    .traits = traits_native,
};
