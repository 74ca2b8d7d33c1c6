// timezone: the system's names of time zones ("Europe/Ljubljana") as POSIX TZ strings
// ("CET-1CEST,M3.5.0,M10.5.0/3"). Only the footer of the system's file is read: it says what holds
// from now on, and the past does not matter to a schedule.
// Source: RFC 8536 §3.3.
#ifndef PW_LINUX_TIMEZONE_H
#define PW_LINUX_TIMEZONE_H

#include "base/base.h"

#define PW_TIMEZONE_FOLDER "/usr/share/zoneinfo"

// Looks `name` up in a folder of TZif files (PW_TIMEZONE_FOLDER) and writes its string to *posix.
// Errors, with one sentence in *why (may be NULL): PW_ERR_RANGE: it cannot be a name;
// PW_ERR_UNKNOWN: there is no such zone; PW_ERR_PEER: its file is none, or its rules end (an old
// file of version 1 has no footer). Blocks for one small file.
PW_MUST_USE int pw_timezone_find(const char *folder, struct pw_str name, struct pw_out *posix,
                                 struct pw_out *why);

#endif
