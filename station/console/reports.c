// What can be seen.
#include "console/call.h"

int pw_console_mute(struct pw_console_call *call)
{
    call->st->muted = !call->st->muted;
    return pw_console_done(call, call->st->muted ? "status lines off" : "status lines on");
}

int pw_console_status(struct pw_console_call *call)
{
    if (call->json) {
        pw_report_status_json(call->st, call->answer, call->now);
    } else {
        pw_report_status(call->st, call->answer, call->now);
    }
    return PW_OK;
}

// Nothing was reported: no connector is of that kind.
static int some(struct pw_console_call *call, const char *what)
{
    if (call->answer->len > 0) {
        return PW_OK;
    }
    pw_put_s(call->answer, "no connector has a ");
    pw_put_s(call->answer, what);
    pw_put_c(call->answer, '\n');
    return PW_ERR_UNKNOWN;
}

int pw_console_bms(struct pw_console_call *call)
{
    pw_report_bms(call->st, call->answer, call->now);
    return some(call, "BMS");
}

int pw_console_rectifier(struct pw_console_call *call)
{
    pw_report_rectifier(call->st, call->answer, call->now);
    return some(call, "rectifier");
}

int pw_console_output(struct pw_console_call *call)
{
    pw_report_output(call->st, call->answer, call->now);
    return some(call, "DC output");
}

int pw_console_terminal(struct pw_console_call *call)
{
    pw_report_terminal(call->st, call->answer, call->now);
    return some(call, "terminal");
}

int pw_console_all(struct pw_console_call *call)
{
    pw_report_bms(call->st, call->answer, call->now);
    pw_report_rectifier(call->st, call->answer, call->now);
    pw_report_output(call->st, call->answer, call->now);
    pw_report_terminal(call->st, call->answer, call->now);
    return PW_OK;
}

int pw_console_can(struct pw_console_call *call)
{
    pw_report_can(call->st, call->answer, call->now);
    return PW_OK;
}

int pw_console_pilot(struct pw_console_call *call)
{
    pw_report_pilot(call->st, call->answer, call->now);
    return some(call, "control pilot");
}

int pw_console_house(struct pw_console_call *call)
{
    if (call->json) {
        pw_report_house_json(call->st, call->answer, call->now);
    } else {
        pw_household_tell(&call->st->house, call->answer, call->now);
    }
    return PW_OK;
}

int pw_console_profiles(struct pw_console_call *call)
{
    if (call->json) {
        pw_smart_report_json(&call->st->smart, call->answer, call->now);
    } else {
        pw_smart_report(&call->st->smart, call->answer, call->now);
    }
    return PW_OK;
}

int pw_console_limits(struct pw_console_call *call)
{
    if (call->json) {
        pw_report_limits_json(call->st, call->answer, call->now);
    } else {
        pw_report_limits(call->st, call->answer, call->now);
    }
    return PW_OK;
}

int pw_console_charges(struct pw_console_call *call)
{
    if (call->json) {
        pw_report_charges_json(call->st, call->answer, call->now);
    } else {
        pw_report_charges(call->st, call->answer, call->now);
    }
    return PW_OK;
}

int pw_console_schedule(struct pw_console_call *call)
{
    if (call->json) {
        pw_report_schedule_json(call->st, call->answer, call->now);
    } else {
        pw_report_schedule(call->st, call->answer, call->now);
    }
    return PW_OK;
}

int pw_console_uplink(struct pw_console_call *call)
{
    pw_uplink_report(&call->st->uplink, call->answer, call->now);
    return PW_OK;
}

int pw_console_network(struct pw_console_call *call)
{
    struct pw_network *net = &call->st->network;
    struct pw_str word = pw_console_word(call);
    if (pw_str_is(word, "scan")) {
        int err = pw_network_scan(net, call->answer, call->now);
        pw_put_s(call->answer, err == PW_OK ? "scanning: network shows what is found\n" : "\n");
        return err;
    }
    if (word.len > 0) {
        return pw_console_refuse(call, PW_ERR_UNKNOWN, "network, or network scan");
    }
    if (call->json) {
        pw_network_report_json(net, call->answer, call->now);
    } else {
        pw_network_report(net, call->answer, call->now);
    }
    return PW_OK;
}

int pw_console_files(struct pw_console_call *call)
{
    if (call->json) {
        struct pw_json_writer json = PW_JSON_WRITER(call->answer);
        pw_files_put_json(&call->st->files, &json);
        pw_put_c(call->answer, '\n');
    } else {
        pw_files_report(&call->st->files, call->answer);
    }
    return PW_OK;
}

int pw_console_faults(struct pw_console_call *call)
{
    if (call->json) {
        pw_report_faults_json(call->st, call->answer);
    } else {
        pw_report_faults(call->st, call->answer, call->now);
    }
    return PW_OK;
}
