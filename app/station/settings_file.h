// settings_file: the configuration and secrets files into the settings table.
#ifndef PW_APP_STATION_SETTINGS_FILE_H
#define PW_APP_STATION_SETTINGS_FILE_H

#include "settings/settings.h"

struct settings_files {
    const char *config;
    const char *secrets;     // NULL: none
    const char *credentials; // folder with a file for each secret, named as its setting; NULL: none
};

// Sets *settings to the defaults, then reads the files, the last one counting most. PW_OK, or an
// error with one sentence in *why: "file:line: key: ..., allowed range".
PW_MUST_USE int settings_file_read(struct pw_settings *settings, const struct settings_files *files,
                                   struct pw_out *why);

// The whole table with present values, as rows of a Markdown table: for --print-settings.
void settings_file_print(const struct pw_settings *settings, struct pw_out *out);

#endif
