#include "connector/connector.h"

#include "connector/kind.h"
#include "connector/wiring.h"

// In the order of the words of settings row `kind`.
static const struct pw_connector_kind *const kinds[] = {
    &pw_connector_kind_dc, &pw_connector_kind_pilot, &pw_connector_kind_openevse};

void pw_wire_session(const struct pw_settings *settings, struct pw_session_config *config)
{
    config->connection_timeout_ms =
        (uint32_t)pw_settings_int(settings, PW_SET_CONNECTION_TIMEOUT_S) * 1000U;
    // With one connector a card cannot mean another one.
    config->abandon_ms = settings->connectors > 1 ? config->connection_timeout_ms : 0;
}

int pw_connector_init(struct pw_connector *connector, const struct pw_settings *settings,
                      unsigned index, const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    int32_t kind = pw_settings_connector(settings, PW_SET_KIND, index);
    PW_ASSERT(kind >= 0 && (size_t)kind < PW_COUNT(kinds));
    connector->kind = kinds[kind];
    return connector->kind->init(connector, settings, index, log, now, why);
}

int pw_connector_configure(struct pw_connector *connector, const struct pw_settings *settings,
                           unsigned index, struct pw_out *why, pw_ms now)
{
    return connector->kind->configure(connector, settings, index, why, now);
}

void pw_connector_can(struct pw_connector *connector, uint8_t bus, const struct pw_can_frame *frame,
                      pw_ms now)
{
    if (connector->kind->can != NULL) {
        connector->kind->can(connector, bus, frame, now);
    }
}

void pw_connector_bus_state(struct pw_connector *connector, uint8_t bus, enum pw_can_state state,
                            pw_ms now)
{
    if (connector->kind->bus_state != NULL) {
        connector->kind->bus_state(connector, bus, state, now);
    }
}

void pw_connector_senses(struct pw_connector *connector, const struct pw_board_senses *senses,
                         pw_ms now)
{
    if (connector->kind->senses != NULL) {
        connector->kind->senses(connector, senses, now);
    }
}

void pw_connector_block(struct pw_connector *connector, const struct pw_board_block *block,
                        pw_ms now)
{
    if (connector->kind->block != NULL) {
        connector->kind->block(connector, block, now);
    }
}

void pw_connector_mains(struct pw_connector *connector, const struct pw_board_mains *mains,
                        pw_ms now)
{
    if (connector->kind->mains != NULL) {
        connector->kind->mains(connector, mains, now);
    }
}

int pw_connector_board(struct pw_connector *connector, const struct pw_outlet_board *board,
                       struct pw_out *why)
{
    return connector->kind->board == NULL ? PW_ERR_UNKNOWN
                                          : connector->kind->board(connector, board, why);
}

void pw_connector_wire_start(struct pw_connector *connector, uint64_t start)
{
    if (connector->kind->wire != NULL) {
        connector->kind->wire->start(connector, start);
    }
}

void pw_connector_wire_up(struct pw_connector *connector, pw_ms now)
{
    if (connector->kind->wire != NULL) {
        connector->kind->wire->up(connector, now);
    }
}

void pw_connector_wire_down(struct pw_connector *connector, struct pw_str reason, pw_ms now)
{
    if (connector->kind->wire != NULL) {
        connector->kind->wire->down(connector, reason, now);
    }
}

size_t pw_connector_wire_bytes(struct pw_connector *connector, const uint8_t *at, size_t len,
                               pw_ms now)
{
    return connector->kind->wire == NULL ? len
                                         : connector->kind->wire->bytes(connector, at, len, now);
}

struct pw_str pw_connector_wire_out(const struct pw_connector *connector)
{
    return connector->kind->wire == NULL ? PW_STR("") : connector->kind->wire->out(connector);
}

void pw_connector_wire_out_sent(struct pw_connector *connector, size_t len, pw_ms now)
{
    if (connector->kind->wire != NULL) {
        connector->kind->wire->out_sent(connector, len, now);
    }
}

int pw_connector_ask(struct pw_connector *connector, struct pw_str line, enum pw_rapi_who who,
                     uint32_t *ticket, struct pw_out *why, pw_ms now)
{
    if (connector->kind->wire == NULL) {
        pw_put_s(why, "the connector has no OpenEVSE board");
        return PW_ERR_UNKNOWN;
    }
    return connector->kind->wire->ask(connector, line, who, ticket, why, now);
}

int pw_connector_answer(struct pw_connector *connector, uint32_t ticket, struct pw_out *answer)
{
    return connector->kind->wire == NULL ? PW_ERR_UNKNOWN
                                         : connector->kind->wire->answer(connector, ticket, answer);
}

void pw_connector_phases(struct pw_connector *connector, unsigned bits, pw_ms now)
{
    if (connector->kind->phases != NULL) {
        connector->kind->phases(connector, bits, now);
    }
}

bool pw_connector_asks_phases(const struct pw_connector *connector)
{
    return connector->kind->phases != NULL;
}

bool pw_connector_estop(struct pw_connector *connector, bool pressed)
{
    return connector->kind->estop(connector, pressed);
}

pw_ms pw_connector_step(struct pw_connector *connector, pw_ms now)
{
    return connector->kind->step(connector, now);
}

bool pw_connector_take_can(struct pw_connector *connector, uint8_t *bus, struct pw_can_frame *frame)
{
    return connector->kind->take_can != NULL && connector->kind->take_can(connector, bus, frame);
}

bool pw_connector_take_restart(struct pw_connector *connector, uint8_t bus, pw_ms now)
{
    return connector->kind->take_restart != NULL &&
           connector->kind->take_restart(connector, bus, now);
}

bool pw_connector_take_drive(struct pw_connector *connector, struct pw_board_drive *drive)
{
    return connector->kind->take_drive != NULL && connector->kind->take_drive(connector, drive);
}

struct pw_session *pw_connector_session(struct pw_connector *connector)
{
    return connector->kind->session(connector);
}

const struct pw_limits *pw_connector_limits(const struct pw_connector *connector)
{
    return connector->kind->limits(connector);
}

int pw_connector_limit(struct pw_connector *connector, enum pw_limit_source source, int32_t ma,
                       const char *why, pw_ms expires, pw_ms now)
{
    return connector->kind->limit(connector, source, ma, why, expires, now);
}

void pw_connector_unlimit(struct pw_connector *connector, enum pw_limit_source source, pw_ms now)
{
    connector->kind->unlimit(connector, source, now);
}

bool pw_connector_fault(const struct pw_connector *connector, unsigned row,
                        struct pw_connector_fault *fault)
{
    return connector->kind->fault(connector, row, fault);
}

int pw_connector_clear(struct pw_connector *connector, unsigned row, pw_ms now)
{
    return connector->kind->clear(connector, row, now);
}

int pw_connector_unlock(struct pw_connector *connector, pw_ms now)
{
    return connector->kind->unlock == NULL ? PW_ERR_UNKNOWN
                                           : connector->kind->unlock(connector, now);
}

const char *pw_connector_held(const struct pw_connector *connector)
{
    const struct pw_outlet *outlet = pw_connector_outlet(connector);
    return outlet == NULL ? "" : outlet->held_tag;
}

bool pw_connector_is_off(const struct pw_connector *connector)
{
    return connector->kind->is_off(connector);
}

bool pw_connector_keep_due(const struct pw_connector *connector, pw_ms now)
{
    return connector->kind->keep_due(connector, now);
}

struct pw_connector_keep pw_connector_keep(const struct pw_connector *connector)
{
    return connector->kind->keep(connector);
}

void pw_connector_kept(struct pw_connector *connector, const struct pw_connector_keep *kept,
                       pw_ms now)
{
    connector->kind->kept(connector, kept, now);
}

int pw_connector_restore(struct pw_connector *connector, const struct pw_connector_keep *keep,
                         pw_ms now)
{
    return connector->kind->restore(connector, keep, now);
}

void pw_connector_view(const struct pw_connector *connector, struct pw_connector_view *view,
                       pw_ms now)
{
    connector->kind->view(connector, view, now);
    view->kind = connector->kind->name;
}

const struct pw_bay *pw_connector_bay(const struct pw_connector *connector)
{
    return connector->kind == &pw_connector_kind_dc ? &connector->of.bay : NULL;
}

const struct pw_outlet *pw_connector_outlet(const struct pw_connector *connector)
{
    return connector->kind == &pw_connector_kind_pilot ? &connector->of.outlet : NULL;
}

const struct pw_openevse *pw_connector_openevse(const struct pw_connector *connector)
{
    return connector->kind == &pw_connector_kind_openevse ? &connector->of.openevse : NULL;
}
