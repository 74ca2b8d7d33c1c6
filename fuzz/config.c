// Targets: pw_config_parse, pw_settings_find, pw_settings_set, pw_settings_check, pw_ws_check_url.
// A settings file is written by people and tools: any bytes give settings in range or one sentence.
#include "config.h"

#include "settings/settings.h"
#include "wsclient.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_all(const struct pw_config *config)
{
    static struct pw_settings settings;
    pw_settings_init(&settings);
    for (size_t i = 0; i < config->count; i++) {
        const struct pw_config_entry *entry = &config->entry[i];
        struct pw_setting_at at;
        char text[PW_SETTING_WHY_MAX] = "";
        struct pw_out why = PW_OUT(text);
        PW_ASSERT(entry->line >= 1 && entry->path.len > 0);
        if (pw_settings_find(entry->path, &at) != PW_OK) {
            continue;
        }
        int err = pw_settings_set(&settings, at, entry->value, PW_BY_FILE, &why);
        PW_ASSERT(err == PW_OK || why.len > 0);
    }
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int err = pw_settings_check(&settings, &why);
    PW_ASSERT(err == PW_OK || why.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_config *config = malloc(sizeof(*config));
    if (config == NULL || size > PW_CONFIG_FILE_MAX) {
        free(config);
        return 0;
    }
    struct pw_str text = {.at = (const char *)data, .len = size};
    char reason[512] = "";
    struct pw_out why = PW_OUT(reason);
    int err = pw_config_parse(config, "f", text, &why);
    PW_ASSERT(err == PW_OK || why.len > 0);
    if (err == PW_OK) {
        set_all(config);
    }
    char url_reason[256] = "";
    struct pw_out url_why = PW_OUT(url_reason);
    err = pw_ws_check_url(text, &url_why);
    PW_ASSERT((err == PW_OK) == (url_why.len == 0));
    free(config);
    return 0;
}
