// kind: the functions that make a connector kind. One row a kind; a NULL input or effect means that
// the kind has no such wire. Only station/connector includes this.
#ifndef PW_CONNECTOR_KIND_H
#define PW_CONNECTOR_KIND_H

#include "connector/connector.h"

// The line of a kind whose board speaks a protocol of its own.
struct pw_connector_wire {
    void (*start)(struct pw_connector *connector, uint64_t start);
    void (*up)(struct pw_connector *connector, pw_ms now);
    void (*down)(struct pw_connector *connector, struct pw_str reason, pw_ms now);
    size_t (*bytes)(struct pw_connector *connector, const uint8_t *at, size_t len, pw_ms now);
    struct pw_str (*out)(const struct pw_connector *connector);
    void (*out_sent)(struct pw_connector *connector, size_t len, pw_ms now);
    int (*ask)(struct pw_connector *connector, struct pw_str line, enum pw_rapi_who who,
               uint32_t *ticket, struct pw_out *why, pw_ms now);
    int (*answer)(struct pw_connector *connector, uint32_t ticket, struct pw_out *answer);
};

struct pw_connector_kind {
    const char *name; // as the settings row `kind` has it
    int (*init)(struct pw_connector *connector, const struct pw_settings *settings, unsigned index,
                const struct pw_log *log, pw_ms now, struct pw_out *why);
    int (*configure)(struct pw_connector *connector, const struct pw_settings *settings,
                     unsigned index, struct pw_out *why, pw_ms now);
    pw_ms (*step)(struct pw_connector *connector, pw_ms now);
    void (*view)(const struct pw_connector *connector, struct pw_connector_view *view, pw_ms now);
    struct pw_session *(*session)(struct pw_connector *connector);
    const struct pw_limits *(*limits)(const struct pw_connector *connector);
    int (*limit)(struct pw_connector *connector, enum pw_limit_source source, int32_t ma,
                 const char *why, pw_ms expires, pw_ms now);
    void (*unlimit)(struct pw_connector *connector, enum pw_limit_source source, pw_ms now);
    bool (*fault)(const struct pw_connector *connector, unsigned row,
                  struct pw_connector_fault *fault);
    int (*clear)(struct pw_connector *connector, unsigned row, pw_ms now);
    bool (*estop)(struct pw_connector *connector, bool pressed);
    bool (*is_off)(const struct pw_connector *connector);
    bool (*keep_due)(const struct pw_connector *connector, pw_ms now);
    struct pw_connector_keep (*keep)(const struct pw_connector *connector);
    void (*kept)(struct pw_connector *connector, const struct pw_connector_keep *kept, pw_ms now);
    int (*restore)(struct pw_connector *connector, const struct pw_connector_keep *keep, pw_ms now);
    // May be NULL.
    int (*unlock)(struct pw_connector *connector, pw_ms now);
    void (*can)(struct pw_connector *connector, uint8_t bus, const struct pw_can_frame *frame,
                pw_ms now);
    void (*bus_state)(struct pw_connector *connector, uint8_t bus, enum pw_can_state state,
                      pw_ms now);
    bool (*take_can)(struct pw_connector *connector, uint8_t *bus, struct pw_can_frame *frame);
    bool (*take_restart)(struct pw_connector *connector, uint8_t bus, pw_ms now);
    void (*senses)(struct pw_connector *connector, const struct pw_board_senses *senses, pw_ms now);
    void (*block)(struct pw_connector *connector, const struct pw_board_block *block, pw_ms now);
    void (*mains)(struct pw_connector *connector, const struct pw_board_mains *mains, pw_ms now);
    int (*board)(struct pw_connector *connector, const struct pw_outlet_board *board,
                 struct pw_out *why);
    bool (*take_drive)(struct pw_connector *connector, struct pw_board_drive *drive);
    const struct pw_connector_wire *wire;
    // Which phases of the grid its vehicle loads, as seen from outside.
    void (*phases)(struct pw_connector *connector, unsigned bits, pw_ms now);
};

// The view's part on voltages, currents and power, for AC kinds.
void pw_connector_show_mains(const struct pw_mains_view *mains, struct pw_connector_view *view);

extern const struct pw_connector_kind pw_connector_kind_dc;
extern const struct pw_connector_kind pw_connector_kind_pilot;
extern const struct pw_connector_kind pw_connector_kind_openevse;

#endif
