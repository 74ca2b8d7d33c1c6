// The maker-neutral part: checks common to all, and the terminal report.
#include "can/rectifier.h"

const struct pw_rectifier_driver *const pw_rectifier_drivers[PW_RECTIFIER_MAKERS] = {
    &pw_rectifier_driver_huawei, &pw_rectifier_driver_infypower};

uint32_t pw_rectifier_alarms(const struct pw_rectifier_driver *driver,
                             const struct pw_rectifier_report *report)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < driver->alarm_count; i++) {
        set |= (report->alarm_bits & driver->alarms[i].bits) != 0 ? driver->alarms[i].means : 0U;
    }
    return set == 0 && report->alarm == PW_CAN_FAILS ? PW_RECTIFIER_ALARM_FAULT : set;
}

enum { COMMAND_MAX = 1000000 };

int pw_rectifier_control(const struct pw_rectifier_driver *driver,
                         const struct pw_rectifier_config *config,
                         const struct pw_rectifier_command *command, unsigned n,
                         struct pw_can_frame *frame)
{
    PW_ASSERT(n < driver->control_count);
    if (command->voltage_mv < 0 || command->voltage_mv > COMMAND_MAX || command->current_ma < 0 ||
        command->current_ma > COMMAND_MAX) {
        return PW_ERR_RANGE;
    }
    return driver->control(config, command, n, frame);
}

int pw_rectifier_poll(const struct pw_rectifier_driver *driver,
                      const struct pw_rectifier_config *config, unsigned n,
                      struct pw_can_frame *frame)
{
    PW_ASSERT(n < driver->poll_count);
    return driver->poll(config, n, frame);
}

static int read_terminal(const struct pw_rivot_config *config, const struct pw_can_frame *frame,
                         struct pw_rectifier_report *report)
{
    struct pw_rivot_terminal terminal;
    int err = pw_rivot_unpack_terminal(config, frame, &terminal);
    if (err == PW_OK) {
        report->terminal_mv = terminal.voltage_mv;
        report->terminal_ma = terminal.current_ma;
        report->has |= PW_RECTIFIER_HAS_TERMINAL;
        return PW_RECTIFIER_HEARD_TERMINAL;
    }
    if (err != PW_ERR_UNKNOWN) {
        return err;
    }
    err = pw_rivot_unpack_charging(config, frame, &report->terminal_charging);
    if (err == PW_OK) {
        report->has |= PW_RECTIFIER_HAS_CHARGING;
        return PW_RECTIFIER_HEARD_TERMINAL;
    }
    return err;
}

// The terminal report is asked first: its id lies in the id space of Infypower.
int pw_rectifier_read(const struct pw_rectifier_driver *driver,
                      const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                      struct pw_rectifier_report *report)
{
    int heard = config->has_terminal ? read_terminal(&config->terminal, frame, report)
                                     : (int)PW_ERR_UNKNOWN;
    if (heard == PW_ERR_UNKNOWN) {
        heard = driver->read(config, frame, report);
    }
    return heard == PW_ERR_UNKNOWN ? (int)PW_RECTIFIER_HEARD_NOTHING : heard;
}
