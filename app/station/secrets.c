#include "secrets.h"

#include "station.h"

static void say(const struct secrets *secrets, enum pw_level level, const char *event,
                const char *name, const char *text)
{
    struct pw_line line;
    pw_line(&line, secrets->log, level, "vault", event);
    pw_line_s(&line, name, text);
    pw_line_end(&line);
}

static const char *place_name(enum pw_vault_place place)
{
    switch (place) {
    case PW_VAULT_NOWHERE: return "nowhere";
    case PW_VAULT_FILE: return "file";
    case PW_VAULT_TPM: return "tpm";
    case PW_VAULT_CREDENTIAL: return "credential";
    }
    PW_UNREACHABLE();
}

// All secrets of the store; those of the trust folder say so themselves.
static void walk(struct secrets *secrets)
{
    struct pw_sealed_walk found = pw_sealed_walk(&secrets->sealed, PW_STR(""), secrets->log);
    secrets->ticket = found.ticket;
    struct pw_line line;
    pw_line(&line, secrets->log, found.locked > 0 ? PW_LOG_ERROR : PW_LOG_INFO, "vault", "open");
    pw_line_s(&line, "key", place_name(pw_vault_place(secrets->vault)));
    pw_line_int(&line, "secrets", found.secrets);
    pw_line_int(&line, "locked", found.locked);
    pw_line_int(&line, "renewed", found.renewed);
    pw_line_end(&line);
}

int secrets_open(struct secrets *secrets, const struct pw_vault_options *options,
                 const struct pw_store *store, const struct pw_log *log, struct pw_out *why)
{
    char text[512] = "";
    struct pw_out reason = PW_OUT(text);
    *secrets = (struct secrets){.log = log};
    if (pw_vault_open(&secrets->vault, options, &reason) != PW_OK) {
        say(secrets, PW_LOG_ERROR, "no-key", "why", text);
        secrets->vault = pw_vault_without();
    }
    if (secrets->vault == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    pw_sealed_init(&secrets->sealed, store, pw_vault_port(secrets->vault), pw_station_keeps_secret);
    walk(secrets);
    secrets->settling = pw_vault_unsettled(secrets->vault);
    return PW_OK;
}

void secrets_step(struct secrets *secrets, const struct pw_trust_keeper *keeper)
{
    char text[512] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_store *below = &secrets->sealed.below;
    if (!secrets->settling) {
        return;
    }
    if (secrets->ticket < 0 || !pw_trust_settled(keeper)) {
        say(secrets, PW_LOG_ERROR, "key-not-changed", "why",
            "a secret could not be sealed anew: the old key stays until the next start");
        secrets->settling = false;
        return;
    }
    int64_t durable = below->durable(below->context);
    if (durable >= 0 && durable < secrets->ticket) {
        return;
    }
    secrets->settling = false;
    if (durable < 0 || pw_vault_settle(secrets->vault, &why) != PW_OK) {
        say(secrets, PW_LOG_ERROR, "key-not-changed", "why", text);
        return;
    }
    say(secrets, PW_LOG_INFO, "key-changed", "key", place_name(pw_vault_place(secrets->vault)));
}

void secrets_close(struct secrets *secrets)
{
    pw_vault_close(secrets->vault);
    secrets->vault = NULL;
}
