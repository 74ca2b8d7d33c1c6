// Our side of the test against python3-can (judge.py): "send URL" puts one frame of every kind on
// the bus, made from physical values, and names each; "hear URL" says what it understands of what
// comes, until a frame with id 7FF. Names and values are judged there, by an own table.
#include "can/bms.h"
#include "can/cia401.h"
#include "can/huawei.h"
#include "can/infypower.h"
#include "can/rectifier.h"
#include "can/wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUIET_MS 10000 // nothing for so long: the judge is gone

static struct pw_can_wire *wire;

static pw_ms now_ms(void)
{
    struct timespec time = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

// The judge reads at its own pace: the socket's buffer holds all frames of one run.
static void emit(const char *name, int err, const struct pw_can_frame *frame)
{
    if (err != PW_OK || pw_can_wire_send(wire, frame) != PW_OK) {
        (void)fprintf(stderr, "%s: not sent (%s)\n", name, pw_err_name(err));
        exit(1);
    }
    (void)printf("%s\n", name);
}

// ---------------------------------------------------------------------------------------------
// Sending.

static void send_vehicle(void)
{
    struct pw_can_frame frame = {0};
    struct pw_elcon_request request = {.charger = 0xE5,
                                       .limit_mv = 86000,
                                       .limit_ma = 104000,
                                       .charge = true,
                                       .soc_permille = 611};
    emit("elcon-request-soc", pw_elcon_pack_request(PW_ELCON_SOC, &request, &frame), &frame);
    request = (struct pw_elcon_request){
        .charger = 0xE7, .limit_mv = 98000, .limit_ma = 16000, .heating = true};
    emit("elcon-request-heating", pw_elcon_pack_request(PW_ELCON_HEATING, &request, &frame),
         &frame);
    struct pw_elcon_status status = {
        .charger = 0xE5, .output_mv = 76200, .output_ma = 12300, .flags = 0x18};
    emit("elcon-status", pw_elcon_pack_status(&status, &frame), &frame);
}

static void send_daly(void)
{
    static const char *const names[PW_DALY_ITEMS] = {
        "daly-pack",     "daly-cells-range", "daly-temp-range", "daly-switches",
        "daly-shape",    "daly-cells",       "daly-temps",      "daly-balance",
        "daly-failures", "daly-charged",     "daly-discharged"};
    static const struct pw_daly_answer answer = {.pack_mv = 76200,
                                                 .gathered_mv = 76100,
                                                 .pack_ma = -1800,
                                                 .soc_permille = 830,
                                                 .cell_max_mv = 3340,
                                                 .cell_max_number = 5,
                                                 .cell_min_mv = 3315,
                                                 .cell_min_number = 17,
                                                 .temp_max_dc = 290,
                                                 .temp_max_number = 1,
                                                 .temp_min_dc = -50,
                                                 .temp_min_number = 2,
                                                 .work = 1,
                                                 .charge_switch = 1,
                                                 .life = 77,
                                                 .remaining_mah = 22310,
                                                 .cell_count = 23,
                                                 .sensor_count = 4,
                                                 .charger_connected = 1,
                                                 .port_bits = 0x5A,
                                                 .cycles = 312,
                                                 .cells_frame = 2,
                                                 .cells_mv = {3301, 3302, 3303},
                                                 .temps_frame = 1,
                                                 .temps_dc = {-400, 0, 10, 250, 600, 1000, 2150},
                                                 .balance = {1, 2, 3, 4, 5, 6, 7, 8},
                                                 .failures = {[7] = 0x20},
                                                 .charged_mah = 123456789,
                                                 .discharged_mah = 100000001};
    for (unsigned item = 0; item < PW_DALY_ITEMS; item++) {
        char name[32];
        struct pw_can_frame frame = {0};
        emit(names[item], pw_daly_pack_answer((enum pw_daly_item)item, &answer, &frame), &frame);
        pw_daly_pack_poll((enum pw_daly_item)item, &frame);
        (void)snprintf(name, sizeof(name), "%s-poll", names[item]);
        emit(name, PW_OK, &frame);
    }
}

static void send_orders(const struct pw_rectifier_driver *driver)
{
    const struct pw_rectifier_config config = {.address = 1};
    static const struct pw_rectifier_command commands[] = {
        {.on = true, .voltage_mv = 84000, .current_ma = 30000},
        {.on = false, .voltage_mv = 84000, .current_ma = 30000},
    };
    for (unsigned c = 0; c < PW_COUNT(commands); c++) {
        for (unsigned n = 0; n < driver->control_count; n++) {
            char name[48];
            struct pw_can_frame frame = {0};
            (void)snprintf(name, sizeof(name), "%s-%s-%u", driver->name,
                           commands[c].on ? "on" : "off", n);
            emit(name, driver->control(&config, &commands[c], n, &frame), &frame);
        }
    }
}

// Questions, and the answers of a module in this state.
static void send_telemetry(const struct pw_rectifier_driver *driver, uint64_t alarm_bits)
{
    const struct pw_rectifier_config config = {.address = 1};
    const struct pw_rectifier_report report = {.has = UINT32_MAX,
                                               .output_mv = 83900,
                                               .output_ma = 29500,
                                               .temp_dc = 410,
                                               .input_mv = 398500,
                                               .alarm_bits = alarm_bits,
                                               .limited = true,
                                               .on = true};
    for (unsigned n = 0; n < driver->poll_count; n++) {
        char name[48];
        struct pw_can_frame asked = {0};
        struct pw_can_frame reply = {0};
        (void)snprintf(name, sizeof(name), "%s-poll-%u", driver->name, n);
        emit(name, driver->poll(&config, n, &asked), &asked);
        (void)snprintf(name, sizeof(name), "%s-answer-%u", driver->name, n);
        int err = driver->answer(&config, &asked, &report, &reply) == 1 ? PW_OK : PW_ERR_BUG;
        emit(name, err, &reply);
    }
}

static void send_infypower(void)
{
    struct pw_infypower_message message = {.device = PW_INFYPOWER_SINGLE,
                                           .destination = 0xF0,
                                           .source = 1,
                                           .count = 3,
                                           .voltage_mv = 83900,
                                           .current_ma = 29500,
                                           .voltage_max_mv = 100000,
                                           .voltage_min_mv = 50000,
                                           .current_max_ma = 100500,
                                           .power_w = 3000,
                                           .sub_command = 0x1234,
                                           .argument = 7,
                                           .raw = {'I', 'N', 'F', 'Y', '1', '2', '3', '4'}};
    static const struct {
        const char *name;
        enum pw_infypower_command command;
    } rows[] = {
        {"infypower-system-float", PW_INFYPOWER_SYSTEM_FLOAT},
        {"infypower-count", PW_INFYPOWER_COUNT},
        {"infypower-system-milli", PW_INFYPOWER_SYSTEM_MILLI},
        {"infypower-module-milli", PW_INFYPOWER_MODULE_MILLI},
        {"infypower-capability", PW_INFYPOWER_CAPABILITY},
        {"infypower-barcode", PW_INFYPOWER_BARCODE},
        {"infypower-output", PW_INFYPOWER_OUTPUT},
        {"infypower-composite", PW_INFYPOWER_COMPOSITE},
        {"infypower-walk-in", PW_INFYPOWER_WALK_IN},
        {"infypower-blink", PW_INFYPOWER_BLINK},
        {"infypower-group", PW_INFYPOWER_SET_GROUP},
        {"infypower-sleep", PW_INFYPOWER_SLEEP},
        {"infypower-set-system", PW_INFYPOWER_SET_SYSTEM},
        {"infypower-address-mode", PW_INFYPOWER_ADDRESS_MODE},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame = {0};
        message.command = (uint8_t)rows[i].command;
        emit(rows[i].name, pw_infypower_pack(&message, &frame), &frame);
    }
}

static void send_cabinet(void)
{
    static const struct {
        const char *name;
        struct pw_cia401_message message;
    } rows[] = {
        {"cia401-nmt-start", {.kind = PW_CIA401_NMT, .node = 32, .nmt = PW_CIA401_START}},
        {"cia401-outputs", {.kind = PW_CIA401_OUTPUTS, .node = 32, .digital = 1}},
        {"cia401-inputs", {.kind = PW_CIA401_INPUTS, .node = 32, .digital = 3}},
        {"cia401-analogs",
         {.kind = PW_CIA401_ANALOGS, .node = 32, .analog_count = 2, .analog = {7620, -5}}},
        {"cia401-heartbeat",
         {.kind = PW_CIA401_HEARTBEAT, .node = 32, .state = PW_CIA401_OPERATIONAL}},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame = {0};
        emit(rows[i].name, pw_cia401_pack(&rows[i].message, &frame), &frame);
    }
}

static void send_all(void)
{
    const struct pw_rivot_config rivot = {0};
    const struct pw_rivot_terminal terminal = {.voltage_mv = 76200, .current_ma = 2500};
    const struct pw_can_frame remote = {.id = 0x123, .remote = true, .len = 5};
    const struct pw_can_error off = {.classes = PW_CAN_ERROR_BUS_OFF};
    struct pw_can_frame frame = {0};
    send_vehicle();
    send_daly();
    send_orders(&pw_rectifier_driver_huawei);
    send_telemetry(&pw_rectifier_driver_huawei, (uint64_t)1 << 36 | 1U << 28);
    send_orders(&pw_rectifier_driver_infypower);
    send_telemetry(&pw_rectifier_driver_infypower, PW_INFYPOWER_SHARING);
    send_infypower();
    emit("rivot-terminal", pw_rivot_pack_terminal(&rivot, &terminal, &frame), &frame);
    pw_rivot_pack_charging(&rivot, true, &frame);
    emit("rivot-charging", PW_OK, &frame);
    send_cabinet();
    emit("remote", PW_OK, &remote);
    if (pw_can_wire_send_error(wire, &off) != PW_OK) {
        exit(1);
    }
    (void)printf("error-bus-off\n");
}

// ---------------------------------------------------------------------------------------------
// Hearing: one line for each frame, "name key=value ...", by the first protocol that knows it.

static void say_request(struct pw_line *line, const struct pw_elcon_request *request)
{
    pw_line_int(line, "charger", request->charger);
    pw_line_int(line, "mv", request->limit_mv);
    pw_line_int(line, "ma", request->limit_ma);
    pw_line_int(line, "charge", request->charge);
    pw_line_int(line, "soc", request->soc_permille);
}

static bool say_vehicle(struct pw_line *line, const struct pw_can_frame *frame)
{
    const struct pw_bms_config config = {.form = PW_ELCON_SOC};
    struct pw_bms_report report = {0};
    struct pw_elcon_request request;
    struct pw_elcon_status status;
    if (pw_elcon_unpack_request(PW_ELCON_SOC, frame, &request) == PW_OK) {
        pw_line(line, NULL, PW_LOG_INFO, "", "elcon-request");
        say_request(line, &request);
        return true;
    }
    if (pw_elcon_unpack_status(frame, &status) == PW_OK) {
        pw_line(line, NULL, PW_LOG_INFO, "", "elcon-status");
        pw_line_int(line, "mv", status.output_mv);
        pw_line_int(line, "ma", status.output_ma);
        pw_line_int(line, "flags", status.flags);
        return true;
    }
    if (pw_bms_report_read(&config, frame, &report) != PW_BMS_HEARD_ANSWER) {
        return false;
    }
    pw_line(line, NULL, PW_LOG_INFO, "", "bms");
    pw_line_int(line, "has", report.has);
    pw_line_int(line, "mv", report.pack_mv);
    pw_line_int(line, "ma", report.pack_ma);
    pw_line_int(line, "soc", report.soc_permille);
    pw_line_int(line, "cells", report.cell_max_mv - report.cell_min_mv);
    pw_line_int(line, "temps", report.temp_max_dc - report.temp_min_dc);
    pw_line_int(line, "mah",
                (int64_t)report.charged_mah + report.discharged_mah + report.remaining_mah);
    pw_line_int(line, "failed", report.failed);
    return true;
}

static bool say_supply(struct pw_line *line, const struct pw_can_frame *frame)
{
    static const struct pw_rectifier_driver *const drivers[] = {&pw_rectifier_driver_huawei,
                                                                &pw_rectifier_driver_infypower};
    const struct pw_rectifier_config config = {.address = 1, .has_terminal = true};
    for (size_t i = 0; i < PW_COUNT(drivers); i++) {
        struct pw_rectifier_report report = {0};
        if (pw_rectifier_read(drivers[i], &config, frame, &report) <= 0) {
            continue;
        }
        pw_line(line, NULL, PW_LOG_INFO, "", "rectifier");
        pw_line_int(line, "has", report.has);
        pw_line_int(line, "mv", report.output_mv + report.terminal_mv);
        pw_line_int(line, "ma", report.output_ma + report.terminal_ma);
        pw_line_int(line, "temp", report.temp_dc);
        pw_line_int(line, "input", report.input_mv);
        pw_line_s(line, "alarm", report.alarm_name == NULL ? "none" : report.alarm_name);
        pw_line_int(line, "on", report.on || report.terminal_charging);
        return true;
    }
    return false;
}

static bool say_cabinet(struct pw_line *line, const struct pw_can_frame *frame)
{
    struct pw_cia401_message message;
    if (pw_cia401_unpack(frame, &message) != PW_OK) {
        return false;
    }
    pw_line(line, NULL, PW_LOG_INFO, "", "cia401");
    pw_line_int(line, "kind", message.kind);
    pw_line_int(line, "node", message.node);
    pw_line_int(line, "digital", message.digital);
    pw_line_int(line, "mv", pw_cia401_voltage_mv(message.analog[0]));
    pw_line_int(line, "state", (int64_t)message.state);
    return true;
}

static void say_event(const struct pw_can_event *event)
{
    struct pw_line line;
    pw_line(&line, NULL, PW_LOG_INFO, "", "unknown");
    if (event->kind == PW_CAN_EVENT_STATE) {
        pw_line(&line, NULL, PW_LOG_INFO, "", "state");
        pw_line_s(&line, "is", pw_can_state_name(event->state));
    } else if (!say_vehicle(&line, &event->frame) && !say_supply(&line, &event->frame) &&
               !say_cabinet(&line, &event->frame)) {
        pw_put_c(&line.out, ' ');
        pw_can_print(&line.out, &event->frame);
    }
    (void)printf("%s\n", line.text);
}

static int hear(void)
{
    for (;;) {
        struct pw_can_event event;
        struct pollfd ready = {.fd = pw_can_wire_fd(wire), .events = POLLIN};
        int got = pw_can_wire_read(wire, now_ms(), &event);
        if (got < 0 || (got == 0 && poll(&ready, 1, QUIET_MS) == 0)) {
            return 1;
        }
        if (got == 1 && event.kind == PW_CAN_EVENT_FRAME && event.frame.id == 0x7FF &&
            !event.frame.extended) {
            return 0;
        }
        if (got == 1) {
            say_event(&event);
        }
    }
}

int main(int argc, char **argv)
{
    char text[PW_CAN_WIRE_REASON_MAX];
    struct pw_out reason = PW_OUT(text);
    bool sends = argc == 3 && strcmp(argv[1], "send") == 0;
    if (!sends && (argc != 3 || strcmp(argv[1], "hear") != 0)) {
        (void)fprintf(stderr, "usage: %s send|hear URL\n", argv[0]);
        return 2;
    }
    if (pw_can_wire_open(&wire, pw_str_of(argv[2]), now_ms(), &reason) != PW_OK) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    int failed = 0;
    if (sends) {
        send_all();
    } else {
        failed = hear();
    }
    pw_can_wire_close(wire);
    return failed;
}
