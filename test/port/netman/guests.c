// guests: who is joined to the access point, from the kernel's bytes. The byte order is the
// machine's.
#include "netman/guests.h"

#include "test.h"
#include "wireless/wireless.h"

#include <linux/genetlink.h>
#include <string.h>

enum { FAMILY = 0x1c };

static uint8_t bytes[512];
static size_t len;

static void put(const void *at, size_t count)
{
    memcpy(bytes + len, at, count);
    len += count;
}

// A message of `type` with a generic head and one attribute of 16 bits.
static void put_message(uint16_t type, uint16_t attribute, uint16_t value)
{
    const struct nlmsghdr head = {.nlmsg_len = 28, .nlmsg_type = type};
    const struct genlmsghdr generic = {.cmd = 1};
    const struct nlattr row = {.nla_len = 6, .nla_type = attribute};
    const uint16_t rest[2] = {value, 0};
    put(&head, sizeof(head));
    put(&generic, sizeof(generic));
    put(&row, sizeof(row));
    put(rest, sizeof(rest));
}

static int empty(void **state)
{
    (void)state;
    len = 0;
    return 0;
}

static void the_family_is_found_by_its_attribute(void **state)
{
    struct nm_guests guests = {.family = 0};
    (void)state;
    put_message(GENL_ID_CTRL, CTRL_ATTR_FAMILY_ID, FAMILY);
    assert_true(nm_guests_take(&guests, bytes, len));
    assert_true(guests.over && !guests.failed);
    assert_int_equal(guests.family, FAMILY);
}

static void each_station_of_the_list_counts_until_its_end(void **state)
{
    struct nm_guests guests = {.family = 0};
    (void)state;
    put_message(FAMILY, 3, 1);
    put_message(FAMILY, 3, 1);
    assert_true(nm_guests_take(&guests, bytes, len));
    assert_false(guests.over); // another read brings the rest
    len = 0;
    put_message(FAMILY, 3, 1);
    put_message(NLMSG_DONE, 0, 0);
    put_message(FAMILY, 3, 1); // behind the end
    assert_true(nm_guests_take(&guests, bytes, len));
    assert_true(guests.over && !guests.failed);
    assert_int_equal(guests.stations, 3);
}

static void a_refusal_is_no_empty_list(void **state)
{
    struct nm_guests guests = {.family = 0};
    (void)state;
    put_message(NLMSG_ERROR, 0, 0);
    assert_true(nm_guests_take(&guests, bytes, len));
    assert_true(guests.over && guests.failed);
}

static void a_message_that_is_cut_is_none(void **state)
{
    struct nm_guests guests = {.family = 0};
    (void)state;
    put_message(FAMILY, 3, 1);
    assert_false(nm_guests_take(&guests, bytes, len - 1));
    bytes[0] = 15; // shorter than its own head
    assert_false(nm_guests_take(&guests, bytes, len));
}

// Reason: unknown is not nobody, though both let the station look around.
static void an_interface_that_is_no_radio_tells_nothing(void **state)
{
    (void)state;
    assert_int_equal(pw_netman_guests("lo"), PW_WIRELESS_UNKNOWN);
    assert_int_equal(pw_netman_guests("no-such-thing"), PW_WIRELESS_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_family_is_found_by_its_attribute, empty),
        cmocka_unit_test_setup(each_station_of_the_list_counts_until_its_end, empty),
        cmocka_unit_test_setup(a_refusal_is_no_empty_list, empty),
        cmocka_unit_test_setup(a_message_that_is_cut_is_none, empty),
        cmocka_unit_test(an_interface_that_is_no_radio_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
