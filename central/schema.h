// schema: the central's tables, brought up to date step by step.
#ifndef PW_CENTRAL_SCHEMA_H
#define PW_CENTRAL_SCHEMA_H

#include "db.h"

// Applies the steps the database does not have yet, all in one transaction, and commits.
// PW_ERR_RANGE when the database is newer than this program; PW_ERR_STORE when it refuses.
PW_MUST_USE int pw_central_schema(const struct pw_db *db);

#endif
