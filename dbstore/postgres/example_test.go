package postgres_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/postgres"
	"github.com/rockstar-web/sessions/hosts"
)

// The schema, for an administrator to run.
func ExampleOptions_noMigrate() {
	text, err := dbstore.Schema(postgres.Dialect, "app.sessions")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	// Output:
	// CREATE TABLE IF NOT EXISTS "app"."sessions_schema" (version BIGINT NOT NULL PRIMARY KEY);
	// CREATE TABLE IF NOT EXISTS "app"."sessions" (
	//   id bytea PRIMARY KEY CHECK (length(id) = 16),
	//   tenant_id text COLLATE "C" NOT NULL,
	//   user_id text COLLATE "C" NOT NULL,
	//   created_at bigint NOT NULL,
	//   expiry_hour bigint NOT NULL,
	//   version bigint NOT NULL,
	//   touch_version bigint NOT NULL DEFAULT 0,
	//   seen_at bigint NOT NULL,
	//   expires_at bigint NOT NULL,
	//   data bytea NOT NULL
	// ) WITH (fillfactor = 80);
	// ALTER TABLE "app"."sessions" ALTER COLUMN data SET STORAGE EXTERNAL;
	// CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "app"."sessions" (expiry_hour);
	// ALTER TABLE "app"."sessions" ADD COLUMN IF NOT EXISTS touch_version bigint NOT NULL DEFAULT 0;
	// CREATE INDEX IF NOT EXISTS "sessions_users" ON "app"."sessions" (user_id, tenant_id, id) WHERE user_id <> '';
	// CREATE INDEX IF NOT EXISTS "sessions_tenants" ON "app"."sessions" (tenant_id, id) WHERE tenant_id <> '';
	// INSERT INTO "app"."sessions_schema" (version) VALUES (2);
}

func ExampleOpen() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, os.Getenv("DATABASE_URL"), postgres.Options{Table: "app_sessions", Fast: true})
	if err != nil {
		log.Fatal(err) // says what to do, and has no password in it
	}
	defer store.Close()

	// A manager does the rest; this is who is signed in as ada.
	found, err := store.Find(ctx, hosts.Query{AnyTenant: true, User: "ada"}, core.ID{}, 100)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range found {
		fmt.Println(r.ID, r.SeenAt)
	}
}
