package filled

import "strings"

// What the tables of schema version 1 were, under the name that is put in. They
// are measured by the driver alone, beside the tables of today.
const (
	sqliteSchema1 = `CREATE TABLE %[1]s (
	id BLOB NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL,
	tenant_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	seen_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	expiry_hour INTEGER NOT NULL,
	data BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX %[1]s_owner ON %[1]s (user_id, tenant_id);
CREATE INDEX %[1]s_tenant ON %[1]s (tenant_id);
CREATE INDEX %[1]s_expiry ON %[1]s (expiry_hour)`

	postgresSchema1 = `CREATE TABLE %[1]s (
  id bytea PRIMARY KEY CHECK (length(id) = 16),
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  expiry_hour bigint NOT NULL,
  version bigint NOT NULL,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  data bytea NOT NULL
) WITH (fillfactor = 80);
ALTER TABLE %[1]s ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX %[1]s_owner ON %[1]s (user_id, tenant_id, id);
CREATE INDEX %[1]s_tenant ON %[1]s (tenant_id, id);
CREATE INDEX %[1]s_expiry ON %[1]s (expiry_hour)`

	mysqlSchema1 = `CREATE TABLE %[1]s (
  id binary(16) NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  tenant_id varbinary(255) NOT NULL,
  user_id varbinary(255) NOT NULL,
  created_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  expiry_hour bigint NOT NULL,
  data mediumblob NOT NULL,
  KEY owner (user_id, tenant_id, id),
  KEY tenant (tenant_id, id),
  KEY expiry (expiry_hour)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`
)

var columns1 = strings.Fields("id version tenant_id user_id created_at seen_at expires_at expiry_hour data")
