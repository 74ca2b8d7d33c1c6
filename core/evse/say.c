#include "evse/turn.h"

static void begin(struct pw_line *line, const struct pw_evse *evse, enum pw_level level,
                  const char *event)
{
    pw_line(line, evse->log, level, "evse", event);
    pw_line_int(line, "connector", evse->connector_id);
}

void pw_evse_say_move(const struct pw_evse *evse, enum pw_evse_state to, const char *why)
{
    struct pw_line line;
    begin(&line, evse, PW_LOG_INFO, "state");
    pw_line_s(&line, "from", pw_evse_state_name(evse->state));
    pw_line_s(&line, "to", pw_evse_state_name(to));
    pw_line_s(&line, "pilot", pw_pilot_level_name(evse->pilot.level));
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

void pw_evse_say_fault(const struct pw_evse *evse, unsigned fault, bool stands, const char *why)
{
    struct pw_line line;
    begin(&line, evse, stands ? PW_LOG_ERROR : PW_LOG_INFO, stands ? "fault" : "fault_over");
    pw_line_s(&line, "code", pw_evse_fault_rows[fault].vendor);
    pw_line_s(&line, "text", pw_evse_fault_rows[fault].text);
    pw_line_s(&line, "why", why);
    pw_line_s(&line, "state", pw_evse_state_name(evse->state));
    pw_line_end(&line);
}

void pw_evse_say_plug(const struct pw_evse *evse)
{
    struct pw_line line;
    begin(&line, evse, PW_LOG_INFO, evse->plugged ? "plugged" : "unplugged");
    pw_line_s(&line, "pilot", pw_pilot_level_name(evse->pilot.level));
    pw_line_fixed(&line, "cable_a", evse->cable_ma, 3);
    pw_line_end(&line);
}
