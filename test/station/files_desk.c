#include "files_desk.h"

#include "ed25519/ed25519.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void piece(void *context, struct pw_files_reading *reading, struct pw_out *out, pw_ms now)
{
    const struct desk *desk = context;
    (void)now;
    pw_put_s(out, reading->kind == PW_UPLOAD_SECURITY ? "security " : "diagnostics ");
    pw_put_uint(out, reading->cursor++);
    pw_put_c(out, '\n');
    reading->over = reading->cursor >= desk->pieces;
}

static bool at_rest(void *context)
{
    const struct desk *desk = context;
    return !desk->charging;
}

static int certificate(void *context, struct pw_str pem, struct pw_out *why, pw_ms now)
{
    const struct desk *desk = context;
    (void)pem;
    (void)now;
    pw_put_s(why, "as the test says");
    return desk->certificate;
}

static int signature(void *context, struct pw_str pem, struct pw_str text,
                     const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why, pw_ms now)
{
    const struct desk *desk = context;
    (void)sha256;
    (void)now;
    pw_put_s(why, "as the test says");
    // Both come back whole from their pieces in the store.
    assert_true(pem.len == PW_FILES_CERTIFICATE_MAX && pem.at[0] == 'c' && pem.at[5499] == 'c');
    assert_true(text.len == PW_FILES_SIGNATURE_MAX && text.at[799] == 's');
    return desk->bad_signature ? PW_ERR_RANGE : PW_OK;
}

static void event(void *context, enum pw_files_event kind, struct pw_str detail, pw_ms now)
{
    struct desk *desk = context;
    (void)detail;
    (void)now;
    desk->events[kind]++;
}

static void restart(void *context, pw_ms now)
{
    struct desk *desk = context;
    (void)now;
    desk->restarts++;
}

static void end_charges(void *context, pw_ms now)
{
    struct desk *desk = context;
    (void)now;
    desk->ended++;
    desk->charging = desk->charging && desk->stubborn;
}

static uint32_t usable(void *context, pw_ms now)
{
    const struct desk *desk = context;
    (void)now;
    return 3U & ~desk->unusable;
}

static int check(void *context, enum pw_files_check which, struct pw_out *why, pw_ms now)
{
    const struct desk *desk = context;
    (void)now;
    if (desk->broken[which]) {
        pw_put_s(why, "as the test says");
        return PW_ERR_STORE;
    }
    return PW_OK;
}

static bool reached(void *context)
{
    const struct desk *desk = context;
    return !desk->offline;
}

static pw_unix_ms wall_of(const struct desk *desk)
{
    return desk->clockless ? 0 : NOW_WALL + (pw_unix_ms)desk->now;
}

static int64_t local(void *context, pw_ms now)
{
    const struct desk *desk = context;
    (void)now;
    return desk->clockless ? -1 : wall_of(desk);
}

void start(struct desk *desk)
{
    const struct pw_files_parts parts = {.settings = &desk->settings,
                                         .store = &desk->store.port,
                                         .transfer = &desk->sim.transfer,
                                         .install = &desk->sim.install,
                                         .crypto = &desk->crypto,
                                         .version = desk->sim.ran,
                                         .hardware = PW_MAKE_HARDWARE,
                                         .seed = desk->seed,
                                         .host = &desk->host};
    (void)desk->store.port.durable(desk->store.port.context);
    pw_sim_store_restart(&desk->store);
    pw_sim_files_start(&desk->sim);
    pw_files_init(&desk->files, &parts, desk->now);
}

void offer_release(struct desk *desk, const struct pw_make *make, size_t len)
{
    static uint8_t program[40000];
    struct pw_make release = *make;
    for (size_t i = 0; i < sizeof(program); i++) {
        program[i] = (uint8_t)(i * 13);
    }
    assert_true(len <= sizeof(program));
    if (len > 0) {
        release.component[0] = (struct pw_make_component){.bytes = program, .len = len};
    }
    desk->image_len = pw_make_release(&release, desk->image, sizeof(desk->image));
    desk->sim.file = desk->image;
    desk->sim.file_len = desk->image_len;
}

struct desk *open_desk(void)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    assert_non_null(desk);
    desk->now = 1000;
    desk->pieces = 3;
    desk->seed = 1;
    desk->crypto = pw_ed25519_crypto();
    pw_settings_init(&desk->settings);
    pw_sim_store_init(&desk->store);
    pw_sim_files_init(&desk->sim);
    desk->sim.root_len = pw_make_signed_root_1(desk->sim.root, sizeof(desk->sim.root));
    offer_release(desk, &(struct pw_make){.version = "1.0.0"}, 40000);
    desk->host = (struct pw_files_host){.context = desk,
                                        .piece = piece,
                                        .at_rest = at_rest,
                                        .end_charges = end_charges,
                                        .usable = usable,
                                        .check = check,
                                        .reached = reached,
                                        .local = local,
                                        .certificate = certificate,
                                        .signature = signature,
                                        .event = event,
                                        .restart = restart};
    start(desk);
    return desk;
}

void close_desk(struct desk *desk)
{
    pw_sim_store_free(&desk->store);
    pw_sim_files_free(&desk->sim);
    free(desk);
}

void listen(struct desk *desk)
{
    for (int lane = PW_TRANSFER_UP; lane < PW_TRANSFER_LANES; lane++) {
        const struct pw_files_notice *notice = NULL;
        while ((notice = pw_files_notice(&desk->files, (enum pw_transfer_lane)lane)) != NULL) {
            const char *word = lane == PW_TRANSFER_UP
                                   ? pw_upload_status_name((enum pw_upload_status)notice->status)
                                   : pw_update_status_name((enum pw_update_status)notice->status);
            size_t len = strlen(desk->said);
            (void)snprintf(desk->said + len, sizeof(desk->said) - len, "%s%s", len == 0 ? "" : " ",
                           word);
            pw_files_noticed(&desk->files, (enum pw_transfer_lane)lane);
        }
    }
}

void run(struct desk *desk, pw_ms span)
{
    for (pw_ms end = desk->now + span; desk->now < end;) {
        pw_ms at = pw_files_step(&desk->files, wall_of(desk), desk->now);
        listen(desk);
        desk->now = at <= desk->now ? desk->now + 1 : at < end ? at : end;
    }
}

bool run_to_restart(struct desk *desk, pw_ms most)
{
    unsigned before = desk->restarts;
    for (pw_ms end = desk->now + most; desk->now < end && desk->restarts == before;) {
        run(desk, 500);
    }
    if (desk->restarts == before) {
        return false;
    }
    start(desk);
    return true;
}
