// Target functions: pw_frontend_host_feed, pw_frontend_board_feed, pw_frontend_put.
// Any bytes at both ends; then the same bytes as the inside of a frame whose coding and checksum
// are right, because chance does not find those. Every message found is the same when it is put and
// read again.
#include "frontend/frontend.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW        100000
#define INSIDE_MAX 200

static void check(const struct pw_frontend_message *message)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    uint8_t again[PW_FRONTEND_FRAME_MAX];
    struct pw_frontend_message read;
    if (message->kind == PW_FRONTEND_HELLO && message->hello.version != PW_FRONTEND_VERSION) {
        return; // only its version was read
    }
    size_t len = pw_frontend_put(message, NOW, frame);
    PW_ASSERT(len <= sizeof(frame) && memchr(frame, 0, len) == frame + len - 1);
    memcpy(again, frame, len);
    PW_ASSERT(pw_frontend_get(again, len - 1, NOW, &read) == PW_OK);
    PW_ASSERT(pw_frontend_put(&read, NOW, again) == len && memcmp(frame, again, len) == 0);
}

// Kind, sequence number and body as given, short enough for runs that fit.
static void read_inside(const uint8_t *data, size_t size)
{
    uint8_t plain[INSIDE_MAX + 2];
    uint8_t frame[INSIDE_MAX + 4];
    struct pw_frontend_message message;
    size_t run = 0; // where the length of the present run stands
    size_t at = 1;
    if (size > INSIDE_MAX) {
        return;
    }
    memcpy(plain, data, size);
    pw_set_be16(plain + size, pw_frontend_crc(plain, size));
    for (size_t i = 0; i < size + 2; i++, at++) {
        frame[at] = plain[i];
        if (plain[i] == 0) {
            frame[run] = (uint8_t)(at - run);
            run = at;
        }
    }
    frame[run] = (uint8_t)(at - run);
    if (pw_frontend_get(frame, at, NOW, &message) == PW_OK) {
        check(&message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pw_frontend_hello hello = {.version = PW_FRONTEND_VERSION, .watchdog_ms = 500};
    struct pw_frontend_reader reader = {0};
    struct pw_frontend_host host;
    struct pw_frontend_board board;
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    enum pw_frontend_event event;
    if (size > 0) {
        read_inside(data, size);
    }
    pw_frontend_host_init(&host, NOW);
    pw_frontend_board_init(&board, &hello);
    for (size_t i = 0; i < size; i++) {
        if (pw_frontend_feed(&reader, data[i], NOW)) {
            check(&reader.message);
        }
        if (pw_frontend_host_feed(&host, data[i], NOW + i) != PW_FRONTEND_NOTHING) {
            (void)pw_frontend_host_put(&host, NOW + i, frame, &event);
        }
        if (pw_frontend_board_feed(&board, data[i], NOW + i)) {
            PW_ASSERT(pw_frontend_board_drive(&board, NOW + i).cp <= PW_BOARD_CP_PWM);
        }
    }
    return 0;
}
