// Which records of a station's store are secret: they are kept sealed (core/sealed).
#include "network/network.h"
#include "parts.h"

bool pw_station_keeps_secret(struct pw_str key)
{
    struct pw_setting_at at;
    struct pw_str path = key;
    if (pw_str_starts(key, "set/")) {
        path.at += 4;
        path.len -= 4;
        return pw_settings_find(path, &at) == PW_OK &&
               pw_setting_rows[at.id].when == PW_WHEN_SECRET;
    }
    // The password of the access point; a log's and a program's address may hold one.
    return pw_str_is(key, "network/ap_password") || pw_str_is(key, "up") || pw_str_is(key, "fw");
}
