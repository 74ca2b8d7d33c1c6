// The connection to a broker where there is none: addresses, bounds, and that nothing waits. With a
// real broker: test/peers/mqtt.
#include "mqtt/wire.h"
#include "test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct pw_clock clock_now;
static struct pw_loop loop;

static int open_loop(void **state)
{
    (void)state;
    assert_int_equal(pw_clock_init(&clock_now, NULL), PW_OK);
    assert_int_equal(pw_loop_init(&loop, &clock_now), PW_OK);
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    pw_loop_close(&loop);
    return 0;
}

// Reason: what --check lets through is what will be connected to.
static void an_address_is_a_scheme_a_host_and_perhaps_a_port(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"mqtt://broker", true},
        {"mqtts://broker.lan:8883", true},
        {"mqtt://127.0.0.1:1", true},
        {"mqtts://[2001:db8::1]:8883", true},
        {"mqtt://[::1]", true},
        {"", false},
        {"broker", false},
        {"http://broker", false},
        {"mqtt://", false},
        {"mqtt://:1883", false},
        {"mqtt://broker:0", false},
        {"mqtt://broker:65536", false},
        {"mqtt://broker:", true},
        {"mqtt://broker:x", false},
        {"mqtt://user:secret@broker", false},
        {"mqtt://broker/path", false},
        {"mqtt://bro ker", false},
        {"mqtt://[::1", false},
        {"mqtt://[]:1", false},
        {"mqtt://[::1]x:1", false},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[200] = "";
        struct pw_out why = PW_OUT(text);
        int err = pw_mqtt_wire_check_url(pw_str_of(rows[i].url), &why);
        if ((err == PW_OK) != rows[i].good || (text[0] == '\0') != rows[i].good) {
            fail_msg("%s: %s", rows[i].url, text);
        }
    }
}

static struct pw_mqtt_wire *open_to(const char *url, const char *ca_file, struct pw_out *why)
{
    const struct pw_mqtt_wire_config config = {.url = url,
                                               .client_id = "test",
                                               .username = "",
                                               .password = "",
                                               .ca_file = ca_file,
                                               .will = {.topic = "a", .payload = "b"},
                                               .seed = 1};
    return pw_mqtt_wire_open(&loop, &config, why);
}

// Reason: a file that is not there would be found out only at the first connection, each time anew.
static void certificates_that_cannot_be_read_are_said_at_once(void **state)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    (void)state;
    assert_null(open_to("mqtts://127.0.0.1:1", "/nowhere/ca.pem", &why));
    assert_string_equal(text, "/nowhere/ca.pem: No such file or directory");
}

// Reason: while nobody listens, nothing is kept for later and nothing is waited for.
static void without_a_broker_nothing_is_taken_and_nothing_waits(void **state)
{
    static char huge[PW_BROKER_OUT_MAX + 1];
    struct pw_broker_message message = {.topic = PW_STR("a"), .payload = PW_STR("b")};
    struct pw_broker_message taken;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    char url[40];
    struct pw_out out = PW_OUT(url);
    (void)state;
    // It accepts, and says nothing for ever.
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(listen(listener, 1), 0);
    pw_put_s(&out, "mqtts://127.0.0.1:");
    pw_put_uint(&out, ntohs(at.sin_port));
    struct pw_mqtt_wire *wire = open_to(url, "", &why);
    assert_non_null(wire);
    assert_int_equal(pw_mqtt_wire_send(wire, &message), PW_ERR_BUSY);
    assert_false(pw_mqtt_wire_has_room(wire, 1));
    assert_false(pw_mqtt_wire_take(wire, &taken));
    message.payload = (struct pw_str){.at = huge, .len = sizeof(huge)};
    assert_int_equal(pw_mqtt_wire_send(wire, &message), PW_ERR_LIMIT);
    message.topic = (struct pw_str){.at = huge, .len = PW_BROKER_TOPIC_MAX};
    assert_int_equal(pw_mqtt_wire_subscribe(wire, message.topic), PW_ERR_LIMIT);
    for (unsigned i = 0; i < PW_BROKER_FILTERS_MAX; i++) {
        assert_int_equal(pw_mqtt_wire_subscribe(wire, PW_STR("a/b")), PW_OK);
    }
    assert_int_equal(pw_mqtt_wire_subscribe(wire, PW_STR("a/b")), PW_ERR_LIMIT);
    pw_ms before = pw_clock_now(&clock_now);
    pw_mqtt_wire_close(wire);
    assert_true(pw_clock_now(&clock_now) - before < 3000);
    (void)close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_scheme_a_host_and_perhaps_a_port),
        cmocka_unit_test_setup_teardown(certificates_that_cannot_be_read_are_said_at_once,
                                        open_loop, close_loop),
        cmocka_unit_test_setup_teardown(without_a_broker_nothing_is_taken_and_nothing_waits,
                                        open_loop, close_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
