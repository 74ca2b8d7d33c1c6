// topics: the house's meter as a broker has it (setting metering.house_meter, "mqtt:…"). Pure: a
// message in, a reading out. Two forms:
//
//   mqtt:TOPIC                 one JSON object. Keys, each a number or null, others are ignored:
//                              l1_a l2_a l3_a  ampere; below zero: given back
//                              l1_w l2_w l3_w  watt; below zero: given back
//                              l1_v l2_v l3_v  volt
//   mqtt:TOPIC1,TOPIC2,TOPIC3  one plain number each: ampere of L1, L2, L3; one to three topics.
//                              A reading is complete when each of them has come anew.
//
// A phase needs ampere or watt. Retained messages are no news and are ignored; a payload that is
// not as above counts as a reading that makes no sense.
#ifndef PW_HOUSE_TOPICS_H
#define PW_HOUSE_TOPICS_H

#include "board/board.h"
#include "broker/broker.h"

#define PW_HOUSE_TOPICS_MAX  PW_BOARD_PHASES
#define PW_HOUSE_TOPIC_NODES 64 // numbers and keys of one object

struct pw_house_topics {
    unsigned topics; // 0: no meter of this kind
    char topic[PW_HOUSE_TOPICS_MAX][PW_BROKER_TOPIC_MAX];
    int32_t nominal_mv; // for meters that tell watts or amperes alone
    uint8_t heard;      // bits of the topics since the last reading
    bool fresh;         // `reading` has not been taken
    struct pw_board_mains reading;
    uint32_t refused; // payloads that made no sense
};

// `list` is what follows "mqtt:". PW_ERR_RANGE with what is wrong in *why: no topic, more than
// three, one that is empty, too long, or holds a wildcard.
PW_MUST_USE int pw_house_topics_init(struct pw_house_topics *topics, struct pw_str list,
                                     int32_t nominal_mv, struct pw_out *why);
// The n-th topic, from 0; NULL: no more.
const char *pw_house_topics_name(const struct pw_house_topics *topics, unsigned n);
// True when the topic is one of these. Only stores.
bool pw_house_topics_message(struct pw_house_topics *topics,
                             const struct pw_broker_message *message, pw_ms now);
// The reading that came last, once. One without any value says that the payload made no sense.
bool pw_house_topics_take(struct pw_house_topics *topics, struct pw_board_mains *reading);

#endif
