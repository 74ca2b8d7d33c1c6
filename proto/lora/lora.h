// lora: an OpenEVSE board behind a transparent half-duplex radio modem of 2400 bit/s. The station's
// end has the functions of the board's client (rapi/rapi.h) and the same view; the far end runs
// that client on the board's cable. The far end says what changed at once and all of it every 30 s;
// the station says what it wants when that changes, and every 25 s that it is there. Each end keeps
// within 1 % of time on the air, so limits follow a house by the quarter minute, not by the second:
// lower ones go first. When the far end has not heard the station for 75 s it offers no more than
// the heartbeat's fall-back and stops the board's heartbeat; a board that hears no far end falls
// back by itself after heartbeat_s. Source: facts/ac-evse-rapi-load.md §2.4, §9.2.
#ifndef PW_LORA_H
#define PW_LORA_H

#include "lora/link.h"
#include "rapi/rapi.h"

#define PW_LORA_KEEPALIVE_MS 25000 // the station's, and 30000 the far end's
#define PW_LORA_SUMMARY_MS   30000
#define PW_LORA_SILENT_MS    75000 // neither end believes in the other without a frame for so long

// ---------------------------------------------------------------------------------------------
// The station's end.

enum pw_lora_item {
    PW_LORA_ITEM_WANT,
    PW_LORA_ITEM_ASK,
    PW_LORA_ITEM_LCD_1,
    PW_LORA_ITEM_LCD_2,
    PW_LORA_ITEM_REPORT,
    PW_LORA_ITEM_FACTS,
    PW_LORA_ITEM_ANSWER,
    PW_LORA_ITEMS, // also: none
};

// What has to be said, and what is waiting for its receipt: one frame at a time.
struct pw_lora_queue {
    bool due[PW_LORA_ITEMS];
    bool changed[PW_LORA_ITEMS]; // since it was last said
    uint8_t waiting;             // PW_LORA_ITEMS: nothing
    uint16_t number;             // of the frame that waits
    uint8_t tries;
    pw_ms again_at;
};

// Written only by the functions below.
struct pw_lora_station {
    struct pw_lora_link link;
    struct pw_lora_queue queue;
    const struct pw_log *log;
    struct pw_rapi_view view;
    struct pw_rapi_want want;
    bool wanted;
    uint8_t said[2]; // the want as last said
    pw_ms said_at;
    bool far_ok;   // the far end hears its board
    bool far_held; // and says that what it was told is held, and all of it
    bool far_settled;
    uint32_t joins;
    uint8_t rx[128];
    uint8_t rx_len;
    struct pw_rapi_ask ask;
    uint8_t ask_id;
    uint32_t next_ticket;
};

// As the functions of the client of the same names, with these differences: numbers of the board
// are as old as the last report; `offered_ma` follows what is wanted by a second or more; one raw
// line at a time.
PW_MUST_USE int pw_lora_station_init(struct pw_lora_station *station,
                                     const struct pw_lora_config *config, const struct pw_log *log,
                                     pw_ms now, struct pw_out *why);
void pw_lora_station_up(struct pw_lora_station *station, pw_ms now);
void pw_lora_station_down(struct pw_lora_station *station, const char *reason, pw_ms now);
PW_MUST_USE size_t pw_lora_station_bytes(struct pw_lora_station *station, const uint8_t *at,
                                         size_t len);
pw_ms pw_lora_station_step(struct pw_lora_station *station, pw_ms now);
struct pw_str pw_lora_station_out(const struct pw_lora_station *station);
void pw_lora_station_out_sent(struct pw_lora_station *station, size_t len, pw_ms now);
void pw_lora_station_want(struct pw_lora_station *station, const struct pw_rapi_want *want);
PW_MUST_USE int pw_lora_station_restart(struct pw_lora_station *station, pw_ms now);
const struct pw_rapi_view *pw_lora_station_view(const struct pw_lora_station *station);
PW_MUST_USE int pw_lora_station_ask(struct pw_lora_station *station, struct pw_str line,
                                    enum pw_rapi_who who, pw_ms now, uint32_t *ticket,
                                    struct pw_out *why);
PW_MUST_USE int pw_lora_station_answer(struct pw_lora_station *station, uint32_t ticket, char *to,
                                       size_t cap);

// ---------------------------------------------------------------------------------------------
// The far end.

// Written only by the functions below.
struct pw_lora_far {
    struct pw_lora_link link;
    struct pw_lora_queue queue;
    const struct pw_log *log;
    struct pw_rapi_client client;
    struct pw_rapi_want want;
    bool wanted;
    pw_ms heard_at;                      // the station; PW_NEVER: not since the start
    uint8_t report[PW_LORA_PAYLOAD_MAX]; // as last said
    pw_ms report_at;
    uint8_t facts[PW_LORA_PAYLOAD_MAX];
    pw_ms facts_at;
    uint32_t joins;
    uint8_t rx[128];
    uint8_t rx_len;
    uint32_t ticket; // of the raw line at the client; 0: none
    uint8_t ask_id;  // of the last one taken
    uint8_t answer[PW_LORA_PAYLOAD_MAX];
    uint8_t answer_len;
};

// Errors as pw_lora_link_init and pw_rapi_init. Both wires begin down.
PW_MUST_USE int pw_lora_far_init(struct pw_lora_far *far, const struct pw_lora_config *config,
                                 const struct pw_rapi_config *rapi, const struct pw_log *log,
                                 pw_ms now, struct pw_out *why);
// The board's cable is far->client's: pw_rapi_up, pw_rapi_down, pw_rapi_bytes, pw_rapi_out and
// pw_rapi_out_sent apply to it.
// The modem. Bytes are only stored: returns how many were taken.
PW_MUST_USE size_t pw_lora_far_bytes(struct pw_lora_far *far, const uint8_t *at, size_t len);
struct pw_str pw_lora_far_out(const struct pw_lora_far *far);
void pw_lora_far_out_sent(struct pw_lora_far *far, size_t len, pw_ms now);
// The wire to the modem has come or gone.
void pw_lora_far_reset(struct pw_lora_far *far);
// Both machines; returns the next deadline.
pw_ms pw_lora_far_step(struct pw_lora_far *far, pw_ms now);

#endif
