// The tables, as numbered steps. A step that has been released is never changed: a new need is a
// new step at the end. Times are milliseconds since 1970; measured values are thousandths.
#include "schema.h"

struct step {
    int64_t version;
    const char *sql;
};

static const struct step steps[] = {
    {1, "CREATE TABLE station ("
        " id TEXT PRIMARY KEY,"
        " key_hash TEXT," // NULL: known from the past, may not connect
        " added_at INTEGER NOT NULL,"
        " vendor TEXT, model TEXT, firmware TEXT, serial TEXT,"
        " boot_at INTEGER, last_seen INTEGER, firmware_status TEXT, diagnostics_status TEXT)"},
    {2, "CREATE TABLE connector ("
        " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL,"
        " status TEXT NOT NULL, error_code TEXT, info TEXT, vendor_error_code TEXT,"
        " since INTEGER,"
        " PRIMARY KEY (station_id, connector_id))"},
    {3, "CREATE TABLE card ("
        " id_tag TEXT PRIMARY KEY COLLATE NOCASE," // idTags are CiStrings
        " status TEXT NOT NULL, parent TEXT, expires INTEGER, name TEXT)"},
    {4, "CREATE TABLE unknown_card ("
        " id_tag TEXT PRIMARY KEY COLLATE NOCASE, station_id TEXT NOT NULL,"
        " seen_at INTEGER NOT NULL, count INTEGER NOT NULL)"},
    // A repeated StartTransaction is the same session: the index is its idempotency key.
    {5, "CREATE TABLE session ("
        " id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL,"
        " id_tag TEXT NOT NULL COLLATE NOCASE, parent TEXT, tag_status TEXT NOT NULL,"
        " start_at INTEGER NOT NULL, meter_start INTEGER NOT NULL, received_at INTEGER NOT NULL,"
        " stop_at INTEGER, meter_stop INTEGER, stop_reason TEXT, stop_id_tag TEXT,"
        " last_energy INTEGER, last_at INTEGER, soc_start INTEGER, soc_end INTEGER,"
        " vehicle_model TEXT, suspect TEXT)"},
    {6, "CREATE UNIQUE INDEX session_same ON session"
        " (station_id, connector_id, id_tag, meter_start, start_at)"},
    {7, "CREATE INDEX session_open ON session (station_id, connector_id) WHERE stop_at IS NULL"},
    // What belongs to no session of this station is kept as it came.
    {8, "CREATE TABLE orphan ("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL,"
        " received_at INTEGER NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL,"
        " payload TEXT NOT NULL, UNIQUE (station_id, action, payload))"},
    // Sampled values word for word, whatever measurand or unit a station invents.
    {9, "CREATE TABLE sample ("
        " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL, at INTEGER NOT NULL,"
        " session_id INTEGER NOT NULL, measurand TEXT NOT NULL, phase TEXT NOT NULL,"
        " location TEXT NOT NULL, context TEXT NOT NULL, format TEXT NOT NULL, unit TEXT NOT NULL,"
        " value TEXT NOT NULL,"
        " PRIMARY KEY (station_id, connector_id, at, session_id, measurand, phase, location,"
        " context)) WITHOUT ROWID"},
    {10, "CREATE TABLE measurement ("
         " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL, at INTEGER NOT NULL,"
         " session_id INTEGER NOT NULL,"
         " power INTEGER, voltage INTEGER, current INTEGER, offered INTEGER, soc INTEGER,"
         " energy INTEGER, temperature INTEGER,"
         " PRIMARY KEY (station_id, connector_id, at, session_id)) WITHOUT ROWID"},
    {11, "CREATE INDEX measurement_session ON measurement (session_id, at) WHERE session_id > 0"},
    {12, "CREATE TABLE traffic ("
         " seq INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, at INTEGER NOT NULL,"
         " direction TEXT NOT NULL, kind TEXT NOT NULL, action TEXT, message_id TEXT NOT NULL,"
         " latency_ms INTEGER, payload TEXT NOT NULL)"},
    {13, "CREATE INDEX traffic_station ON traffic (station_id, seq)"},
    {14, "CREATE TABLE command ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, action TEXT NOT NULL,"
         " payload TEXT NOT NULL, state TEXT NOT NULL, answer TEXT,"
         " requested_at INTEGER NOT NULL, answered_at INTEGER)"},
    {15, "CREATE TABLE account (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL)"},
    // Station links. Numbers of events and log lines count from the start `boot` of a station.
    {16, "CREATE TABLE station_link ("
         " station_id TEXT PRIMARY KEY, since INTEGER, address TEXT, boot INTEGER NOT NULL,"
         " event INTEGER NOT NULL, cursor INTEGER NOT NULL, dropped INTEGER NOT NULL)"},
    // A replayed event is the same event: the constraint is its idempotency key. Lost ones have no
    // number.
    {17, "CREATE TABLE station_event ("
         " n INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, boot INTEGER NOT NULL,"
         " seq INTEGER, at INTEGER, received_at INTEGER NOT NULL, connector_id INTEGER NOT NULL,"
         " kind TEXT NOT NULL, value INTEGER NOT NULL, text TEXT NOT NULL,"
         " UNIQUE (station_id, boot, seq))"},
    {18, "CREATE INDEX station_event_newest ON station_event (station_id, n)"},
    {19, "CREATE TABLE line ("
         " n INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, at INTEGER,"
         " level INTEGER NOT NULL, room TEXT NOT NULL, text TEXT NOT NULL,"
         " dropped INTEGER NOT NULL)"},
    {20, "CREATE INDEX line_station ON line (station_id, n)"},
    {21, "CREATE TABLE load_group ("
         " id TEXT PRIMARY KEY, name TEXT NOT NULL, rotation_ms INTEGER NOT NULL)"},
    {22, "CREATE TABLE load_circuit ("
         " group_id TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL,"
         " name TEXT NOT NULL, parent INTEGER," // position; NULL: none
         " limit1 INTEGER NOT NULL, limit2 INTEGER NOT NULL, limit3 INTEGER NOT NULL,"
         " reserved1 INTEGER NOT NULL, reserved2 INTEGER NOT NULL, reserved3 INTEGER NOT NULL,"
         " PRIMARY KEY (group_id, position))"},
    // known_ma: what the station may have been told. Durable before it is told.
    {23, "CREATE TABLE load_member ("
         " group_id TEXT NOT NULL, position INTEGER NOT NULL, station_id TEXT NOT NULL,"
         " connector_id INTEGER NOT NULL, circuit INTEGER NOT NULL, priority INTEGER NOT NULL,"
         " min_ma INTEGER NOT NULL, max_ma INTEGER NOT NULL, failsafe_ma INTEGER NOT NULL,"
         " phases INTEGER NOT NULL, rotation TEXT NOT NULL, known_ma INTEGER NOT NULL,"
         " PRIMARY KEY (station_id, connector_id))"},
    {24, "CREATE TABLE load_history ("
         " group_id TEXT NOT NULL, at INTEGER NOT NULL,"
         " limit1 INTEGER, limit2 INTEGER, limit3 INTEGER,"
         " offer1 INTEGER, offer2 INTEGER, offer3 INTEGER,"
         " used1 INTEGER, used2 INTEGER, used3 INTEGER,"
         " PRIMARY KEY (group_id, at)) WITHOUT ROWID"},
    {25, "CREATE TABLE load_member_history ("
         " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL, at INTEGER NOT NULL,"
         " offer INTEGER, used INTEGER,"
         " PRIMARY KEY (station_id, connector_id, at)) WITHOUT ROWID"},
    {26, "ALTER TABLE measurement ADD COLUMN limited INTEGER"},
    // What was seen of a command after its answer. origin: NULL for people's, else "central".
    {27, "ALTER TABLE command ADD COLUMN origin TEXT"},
    {28, "ALTER TABLE command ADD COLUMN effect TEXT"},
    {29, "ALTER TABLE command ADD COLUMN effect_state TEXT"},
    {30, "ALTER TABLE command ADD COLUMN effect_at INTEGER"},
    {31, "CREATE INDEX command_station ON command (station_id, id)"},
    // A key being changed: both count until the station has answered or used one of them.
    {32, "ALTER TABLE station ADD COLUMN key_next TEXT"},
    // The least security profile it may connect with (whitepaper A05.FR.09); NULL: any.
    {33, "ALTER TABLE station ADD COLUMN security_profile INTEGER"},
    // What the last BootNotification told beside the columns of step 1, word for word.
    {34, "ALTER TABLE station ADD COLUMN boot TEXT"},
    // Configuration keys as last read. wanted: accepted, and takes a reboot to count.
    {35, "CREATE TABLE configuration ("
         " station_id TEXT NOT NULL, key TEXT NOT NULL COLLATE NOCASE, value TEXT,"
         " readonly INTEGER NOT NULL, read_at INTEGER NOT NULL, wanted TEXT,"
         " PRIMARY KEY (station_id, key))"},
    {36, "CREATE TABLE configuration_change ("
         " n INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, at INTEGER NOT NULL,"
         " key TEXT NOT NULL, old TEXT, new TEXT, why TEXT NOT NULL)"},
    {37, "CREATE INDEX configuration_change_newest ON configuration_change (station_id, n)"},
    // What a station's local list is believed to hold.
    {38, "CREATE TABLE local_list ("
         " station_id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL,"
         " at INTEGER NOT NULL)"},
    {39, "CREATE TABLE local_list_entry ("
         " station_id TEXT NOT NULL, id_tag TEXT NOT NULL COLLATE NOCASE, status TEXT NOT NULL,"
         " parent TEXT, expires INTEGER,"
         " PRIMARY KEY (station_id, id_tag))"},
    {40, "CREATE TABLE reservation ("
         " id INTEGER NOT NULL, station_id TEXT NOT NULL, connector_id INTEGER NOT NULL,"
         " id_tag TEXT NOT NULL, parent TEXT, expires INTEGER NOT NULL, state TEXT NOT NULL,"
         " made_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, session_id INTEGER,"
         " PRIMARY KEY (station_id, id))"},
    {41, "ALTER TABLE session ADD COLUMN reservation_id INTEGER"},
    {42, "CREATE TABLE charging_profile ("
         " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL, profile_id INTEGER NOT NULL,"
         " purpose TEXT NOT NULL, stack_level INTEGER NOT NULL, transaction_id INTEGER,"
         " profile TEXT NOT NULL, set_at INTEGER NOT NULL,"
         " PRIMARY KEY (station_id, profile_id, connector_id))"},
    {43, "CREATE TABLE composite_schedule ("
         " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL, unit TEXT NOT NULL,"
         " start_at INTEGER, duration_s INTEGER NOT NULL, schedule TEXT, read_at INTEGER NOT NULL,"
         " PRIMARY KEY (station_id, connector_id, unit))"},
    // A firmware update, an upload of diagnostics or of a log. request_id: NULL when it has none.
    {44, "CREATE TABLE file_job ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, kind TEXT NOT NULL,"
         " request_id INTEGER, location TEXT NOT NULL, file_name TEXT, state TEXT NOT NULL,"
         " over INTEGER NOT NULL, made_at INTEGER NOT NULL, changed_at INTEGER NOT NULL)"},
    {45, "CREATE INDEX file_job_newest ON file_job (station_id, id)"},
    {46, "CREATE TABLE file_job_status ("
         " job_id INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL,"
         " PRIMARY KEY (job_id, n))"},
    // A repeated notification is the same event.
    {47, "CREATE TABLE security_event ("
         " n INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL, at INTEGER NOT NULL,"
         " received_at INTEGER NOT NULL, type TEXT NOT NULL, info TEXT NOT NULL,"
         " UNIQUE (station_id, at, type, info))"},
    {48, "CREATE INDEX security_event_newest ON security_event (station_id, n)"},
    {49, "CREATE TABLE certificate ("
         " station_id TEXT NOT NULL, use TEXT NOT NULL, hash_algorithm TEXT NOT NULL,"
         " issuer_name_hash TEXT NOT NULL, issuer_key_hash TEXT NOT NULL,"
         " serial_number TEXT NOT NULL, read_at INTEGER NOT NULL,"
         " PRIMARY KEY (station_id, use, issuer_name_hash, issuer_key_hash, serial_number))"},
    // Certificates our authority has signed for stations; serial in lower-case hex.
    {50, "CREATE TABLE certificate_issued ("
         " serial TEXT PRIMARY KEY, station_id TEXT NOT NULL, subject TEXT NOT NULL,"
         " from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, issued_at INTEGER NOT NULL,"
         " state TEXT NOT NULL, pem TEXT NOT NULL)"},
    {51, "CREATE INDEX certificate_issued_station ON certificate_issued (station_id, issued_at)"},
    {52, "ALTER TABLE local_list ADD COLUMN automatic INTEGER NOT NULL DEFAULT 0"},
    {53, "CREATE TABLE signed_value ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, station_id TEXT NOT NULL,"
         " connector_id INTEGER NOT NULL, session_id INTEGER NOT NULL, at INTEGER NOT NULL,"
         " context TEXT NOT NULL, value TEXT NOT NULL, received_at INTEGER NOT NULL,"
         " UNIQUE (station_id, connector_id, session_id, at, context, value))"},
    {54, "CREATE INDEX signed_value_session ON signed_value (session_id, at) WHERE session_id > 0"},
    {55, "CREATE TABLE meter_key ("
         " station_id TEXT NOT NULL, connector_id INTEGER NOT NULL, public_key TEXT NOT NULL,"
         " first_at INTEGER NOT NULL, PRIMARY KEY (station_id, connector_id, public_key))"},
    {56, "ALTER TABLE account ADD COLUMN role TEXT NOT NULL DEFAULT 'admin'"},
    {57, "CREATE TABLE api_token ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL,"
         " hash TEXT NOT NULL, made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)"},
    // Releases and logs: `file` is a name in the depot, `token` the one in a URL.
    {58, "CREATE TABLE release ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, file TEXT NOT NULL,"
         " label TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,"
         " product TEXT NOT NULL, version TEXT NOT NULL, hardware TEXT NOT NULL,"
         " expires INTEGER, manifest TEXT NOT NULL, keys TEXT NOT NULL, verdict TEXT, why TEXT,"
         " added_by TEXT NOT NULL, added_at INTEGER NOT NULL,"
         " certificate TEXT, signature TEXT, models TEXT)"},
    {59, "CREATE TABLE upload ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE,"
         " station_id TEXT NOT NULL, kind TEXT NOT NULL, made_at INTEGER NOT NULL,"
         " expires_at INTEGER NOT NULL, file TEXT, size INTEGER, got_at INTEGER, label TEXT)"},
    {60, "CREATE INDEX upload_station ON upload (station_id, id)"},
    // stages: percentages between commas. stage 0 is the canary.
    {61, "CREATE TABLE rollout ("
         " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, release_id INTEGER NOT NULL,"
         " version TEXT NOT NULL, state TEXT NOT NULL, why TEXT, way TEXT NOT NULL,"
         " canary INTEGER NOT NULL, stages TEXT NOT NULL, soak_s INTEGER NOT NULL,"
         " at_most INTEGER NOT NULL, stop_percent INTEGER NOT NULL, stop_count INTEGER NOT NULL,"
         " deadline_s INTEGER NOT NULL, stage INTEGER NOT NULL, soak_until INTEGER,"
         " made_by TEXT NOT NULL, made_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,"
         " report TEXT)"}, // as JSON, when it is over
    {62, "CREATE TABLE rollout_station ("
         " rollout_id INTEGER NOT NULL, station_id TEXT NOT NULL, state TEXT NOT NULL,"
         " stage INTEGER NOT NULL, since INTEGER NOT NULL, why TEXT, tries INTEGER NOT NULL,"
         " way TEXT, was TEXT, began_at INTEGER, ended_at INTEGER,"
         " PRIMARY KEY (rollout_id, station_id))"},
    // The account whose role bounds the token's; one from before this step ends with it.
    {63, "ALTER TABLE api_token ADD COLUMN made_by TEXT NOT NULL DEFAULT ''"},
    {64, "ALTER TABLE rollout ADD COLUMN canary_failures INTEGER NOT NULL DEFAULT 0"},
    {65, "ALTER TABLE rollout ADD COLUMN canary_finds_percent INTEGER NOT NULL DEFAULT 0"},
    {66, "ALTER TABLE rollout_station ADD COLUMN place INTEGER NOT NULL DEFAULT 0"},
    {67, "ALTER TABLE rollout_station ADD COLUMN kind TEXT"},
    {68, "ALTER TABLE rollout_station ADD COLUMN request_id INTEGER NOT NULL DEFAULT 0"},
    {69, "ALTER TABLE rollout_station ADD COLUMN spent_s INTEGER NOT NULL DEFAULT 0"},
    // Why an update failed: told before the status that says so, and kept with the job.
    {70, "ALTER TABLE station ADD COLUMN firmware_why TEXT"},
    {71, "ALTER TABLE file_job ADD COLUMN why TEXT"},
};

static void take_version(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

static int64_t plain(const struct pw_db *db, const char *sql)
{
    return db->run(db->context, sql, NULL, 0, NULL, NULL);
}

int pw_central_schema(const struct pw_db *db)
{
    int64_t version = 0;
    if (plain(db, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)") < 0 ||
        db->run(db->context, "SELECT COALESCE(MAX(version), 0) FROM schema_version", NULL, 0,
                take_version, &version) < 0) {
        return PW_ERR_STORE;
    }
    if (version > steps[PW_COUNT(steps) - 1].version) {
        return PW_ERR_RANGE;
    }
    for (size_t i = 0; i < PW_COUNT(steps); i++) {
        if (steps[i].version <= version) {
            continue;
        }
        struct pw_db_value number = pw_db_int(steps[i].version);
        if (plain(db, steps[i].sql) < 0 ||
            db->run(db->context, "INSERT INTO schema_version (version) VALUES ($1)", &number, 1,
                    NULL, NULL) < 0) {
            return PW_ERR_STORE;
        }
    }
    return db->commit(db->context);
}
