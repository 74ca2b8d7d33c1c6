// facts: what a connector's view says, one row for each kind of event. Nobody but uplink uses it.
#ifndef PW_UPLINK_FACTS_H
#define PW_UPLINK_FACTS_H

#include "uplink/uplink.h"

struct pw_uplink_fact {
    int64_t value;
    char text[PW_LINK_TEXT_MAX + 1];
};

// A connector as it is now, and which of its faults are there (bit = row of its kind's table).
struct pw_uplink_sight {
    struct pw_connector_view view;
    uint32_t faults;
    int32_t limit_ma; // least of the stack, in its own unit
};

void pw_uplink_look(const struct pw_connector *connector, struct pw_uplink_sight *sight, pw_ms now);

// Rows of events that a connector tells by itself.
size_t pw_uplink_fact_rows(void);
uint8_t pw_uplink_fact_kind(size_t row);
void pw_uplink_fact_read(size_t row, const struct pw_uplink_sight *sight,
                         struct pw_uplink_fact *fact);
// True when it is news; *wait is PW_NEVER, or when it will be if it stays.
bool pw_uplink_fact_is_news(size_t row, const struct pw_uplink_told *told,
                            const struct pw_uplink_fact *fact, pw_ms now, pw_ms *wait);

// A connector for the snapshot; texts are views into `sight` and literals.
void pw_uplink_describe(const struct pw_uplink *up, unsigned index,
                        const struct pw_uplink_sight *sight, struct pw_link_connector *to,
                        pw_ms now);
// firmware.c: answers FW_BEGIN to FW_STATUS; how the update stands, true when that is news.
void pw_uplink_firmware(struct pw_uplink *up, const struct pw_link_message *message, pw_ms now);
bool pw_uplink_update_fact(const struct pw_uplink *up, struct pw_uplink_fact *fact);
// A number that changes when a setting does.
uint32_t pw_uplink_settings_hash(const struct pw_settings *settings);

#endif
