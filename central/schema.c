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
