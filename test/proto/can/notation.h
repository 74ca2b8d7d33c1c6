// notation: frames in tests are written as candump shows them.
#ifndef PW_TEST_NOTATION_H
#define PW_TEST_NOTATION_H

#include "can/can.h"
#include "test.h"

static inline struct pw_can_frame frame_of(const char *text)
{
    struct pw_can_frame frame = {0};
    int err = pw_can_parse(pw_str_of(text), &frame);
    if (err != PW_OK) {
        fail_msg("not a frame: %s (%s)", text, pw_err_name(err));
    }
    return frame;
}

static inline void assert_frame(const struct pw_can_frame *frame, const char *expected)
{
    char text[PW_CAN_TEXT_MAX];
    struct pw_out out = PW_OUT(text);
    pw_can_print(&out, frame);
    assert_string_equal(text, expected);
}

// Every change of a frame's kind or length that must keep it from being read.
static inline void assert_refuses_other_shapes(const char *text,
                                               int (*read)(const struct pw_can_frame *frame))
{
    struct pw_can_frame frame = frame_of(text);
    struct pw_can_frame other = frame;
    assert_true(read(&frame) >= 0);
    for (uint8_t len = 0; len < frame.len; len++) {
        other.len = len;
        assert_int_equal(read(&other), PW_ERR_PEER);
    }
    other = frame;
    other.remote = true;
    assert_int_equal(read(&other), PW_ERR_UNKNOWN);
    other = frame;
    other.extended = !frame.extended;
    other.id &= other.extended ? PW_CAN_ID_29_MAX : PW_CAN_ID_11_MAX;
    assert_int_equal(read(&other), PW_ERR_UNKNOWN);
}

#endif
