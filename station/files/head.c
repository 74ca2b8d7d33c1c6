// What the head of a download says, judged by core/release with what this station knows.
#include "files/parts.h"

#include <string.h>

static bool peek(const struct pw_files *files, uint64_t offset, uint8_t *to, size_t len)
{
    const struct pw_install *install = files->parts.install;
    return install != NULL && install->peek(install->context, offset, to, len) == PW_OK;
}

bool pw_update_has_head(struct pw_files *files)
{
    const struct pw_update *update = &files->update;
    uint8_t fixed[PW_RELEASE_FIXED];
    uint32_t len = 0;
    if (update->state.bytes < sizeof(fixed)) {
        return false;
    }
    // What is no release file is judged as that at once; nobody waits for more of it.
    return !peek(files, 0, fixed, sizeof(fixed)) || pw_release_head_len(fixed, &len) != PW_OK ||
           update->state.bytes >= len;
}

// The room of a signer's certificate is free here: that is looked at before or after.
static bool load_root(struct pw_files *files, struct pw_release_root *root, struct pw_out *why)
{
    const struct pw_install *install = files->parts.install;
    char *text = files->update.certificate;
    _Static_assert(sizeof(files->update.certificate) >= PW_RELEASE_ROOT_MAX, "a root fits");
    int len = install->root(install->context, (uint8_t *)text, PW_RELEASE_ROOT_MAX);
    if (len < 0) {
        pw_put_s(why, "no root document of the maker is here (update.root): every release is "
                      "refused");
        return false;
    }
    return pw_release_root_read((struct pw_str){.at = text, .len = (size_t)len},
                                files->parts.crypto, root, why) == PW_OK;
}

// Newer roots that this head carries are kept, whatever becomes of the release.
static void keep_roots(struct pw_files *files, struct pw_str head,
                       const struct pw_release_root *before, const struct pw_release_root *newest)
{
    const struct pw_install *install = files->parts.install;
    struct pw_line line;
    if (newest->version <= before->version) {
        return;
    }
    bool kept = install->follow(install->context, head) == PW_OK;
    pw_line(&line, files->parts.log, kept ? PW_LOG_INFO : PW_LOG_ERROR, "files", "root");
    pw_line_int(&line, "version", newest->version);
    pw_line_s(&line, "why", kept ? "the maker's next one is kept" : "it could not be kept");
    pw_line_end(&line);
}

// What runs, by the name its maker gave it: the release's, where it came over the air.
static void running_version(const struct pw_files *files, struct pw_out *out)
{
    const struct pw_install *install = files->parts.install;
    struct pw_install_state state = {.able = false};
    install->state(install->context, &state);
    pw_put_s(out, state.release[0] != '\0' ? state.release : files->parts.version);
}

static struct pw_release_rules rules_of(const struct pw_files *files,
                                        const struct pw_release_root *root, const char *version)
{
    const struct pw_install *install = files->parts.install;
    const char *hardware = pw_settings_text(files->parts.settings, PW_SET_UPDATE_HARDWARE);
    struct pw_install_state state = {.able = false};
    install->state(install->context, &state);
    return (struct pw_release_rules){
        .crypto = files->parts.crypto,
        .root = root,
        .product = PW_STR(PW_FILES_PRODUCT),
        .hardware = pw_str_of(hardware[0] != '\0' ? hardware : files->parts.hardware),
        .running = pw_str_of(version),
        .again = files->update.force,
        .counter = state.counter,
        .most_bytes = PW_FILES_DOWN_MAX,
        .wall = files->wall,
    };
}

// A source that offers an older version than what runs has nothing newer.
static enum pw_release_verdict judge_age(const struct pw_files *files, const char *version,
                                         enum pw_release_verdict verdict)
{
    const struct pw_update *update = &files->update;
    bool older =
        verdict == PW_RELEASE_FINE && update->newer &&
        pw_release_version_compare(pw_str_of(update->release.version), pw_str_of(version)) <= 0;
    return older ? PW_RELEASE_SAME : verdict;
}

static void say_undated(struct pw_files *files, const struct pw_release_root *root)
{
    if (files->wall <= 0 && (root->expires > 0 || files->update.release.expires > 0)) {
        pw_update_say(files, PW_LOG_WARN, "undated",
                      "nobody knows the date: whether it has expired was not looked at");
    }
}

enum pw_release_verdict pw_update_read_head(struct pw_files *files, struct pw_out *why)
{
    struct pw_update *update = &files->update;
    struct pw_release_root root;
    struct pw_release_root newest;
    update->judged = false;
    if (files->parts.install == NULL || files->parts.crypto == NULL) {
        pw_put_s(why, "this station installs no releases");
        return PW_RELEASE_UNSIGNED;
    }
    if (!peek(files, 0, update->head, PW_RELEASE_FIXED) ||
        pw_release_head_len(update->head, &update->head_len) != PW_OK ||
        !peek(files, 0, update->head, update->head_len)) {
        pw_put_s(why, "it is no release file (doc/update.md)");
        return PW_RELEASE_MALFORMED;
    }
    if (!load_root(files, &root, why)) {
        return PW_RELEASE_UNSIGNED;
    }
    const struct pw_str head = {.at = (const char *)update->head, .len = update->head_len};
    char running[PW_RELEASE_VERSION_MAX];
    struct pw_out out = PW_OUT(running);
    running_version(files, &out);
    const struct pw_release_rules rules = rules_of(files, &root, running);
    enum pw_release_verdict verdict =
        judge_age(files, running, pw_release_judge(head, &rules, &update->release, &newest, why));
    keep_roots(files, head, &root, &newest);
    if (verdict == PW_RELEASE_FINE) {
        struct pw_out version = PW_OUT(update->version);
        pw_put_s(&version, update->release.version);
        bool fits = update->size == 0 || update->size == update->release.file_size;
        if (!fits) {
            pw_put_s(why, "it has not the size that its head says");
            return PW_RELEASE_MALFORMED;
        }
        update->judged = true;
        say_undated(files, &root);
    }
    return verdict;
}

void pw_update_refuse_verdict(struct pw_files *files, enum pw_release_verdict verdict,
                              const char *why, pw_ms now)
{
    static const enum pw_update_status statuses[PW_RELEASE_VERDICTS] = {
        [PW_RELEASE_FINE] = PW_UPDATE_IDLE,
        [PW_RELEASE_MALFORMED] = PW_UPDATE_VERIFICATION_FAILED,
        [PW_RELEASE_UNSIGNED] = PW_UPDATE_INVALID_SIGNATURE,
        [PW_RELEASE_TEST_KEY] = PW_UPDATE_INVALID_SIGNATURE,
        [PW_RELEASE_EXPIRED] = PW_UPDATE_INVALID_SIGNATURE,
        [PW_RELEASE_DOWNGRADE] = PW_UPDATE_VERIFICATION_FAILED,
        [PW_RELEASE_FOREIGN] = PW_UPDATE_INSTALLATION_FAILED,
        [PW_RELEASE_TOO_FAR] = PW_UPDATE_INSTALLATION_FAILED,
        [PW_RELEASE_TOO_LARGE] = PW_UPDATE_INSTALLATION_FAILED,
        [PW_RELEASE_SAME] = PW_UPDATE_INSTALLATION_FAILED,
    };
    const struct pw_files_host *host = files->parts.host;
    char text[PW_TRANSFER_WHY_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, pw_release_verdict_name(verdict));
    pw_put_s(&out, ": ");
    pw_put_s(&out, why);
    pw_update_refuse(files, statuses[verdict], text);
    if (verdict == PW_RELEASE_DOWNGRADE) {
        host->event(host->context, PW_FILES_REPLAYED, pw_str_of(text), now);
    } else if (verdict == PW_RELEASE_MALFORMED ||
               statuses[verdict] == PW_UPDATE_INVALID_SIGNATURE) {
        host->event(host->context, PW_FILES_UNSIGNED, pw_str_of(text), now);
    }
}
