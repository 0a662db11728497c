package mysql_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/mysql"
	"github.com/rockstar-web/sessions/hosts"
)

// The schema, for an administrator to run.
func ExampleOptions_noMigrate() {
	text, err := dbstore.Schema(mysql.Dialect, "sessions")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	// Output:
	// CREATE TABLE IF NOT EXISTS `sessions_schema` (version BIGINT NOT NULL PRIMARY KEY);
	// CREATE TABLE IF NOT EXISTS `sessions` (
	//   id binary(16) NOT NULL PRIMARY KEY,
	//   version bigint NOT NULL,
	//   tenant_id varbinary(255) NOT NULL,
	//   user_id varbinary(255) NOT NULL,
	//   created_at bigint NOT NULL,
	//   seen_at bigint NOT NULL,
	//   expires_at bigint NOT NULL,
	//   expiry_hour bigint NOT NULL,
	//   data mediumblob NOT NULL,
	//   touch_version bigint NOT NULL DEFAULT 0,
	//   KEY owner (user_id, tenant_id, id),
	//   KEY tenant (tenant_id, id),
	//   KEY expiry (expiry_hour)
	// ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
	// SET @sessions_second = IF((SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'sessions' AND column_name = 'expiry_hour') = 1 AND (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'sessions' AND column_name = 'touch_version') = 0, 'ALTER TABLE `sessions` ADD COLUMN touch_version bigint NOT NULL DEFAULT 0', 'DO 0');
	// PREPARE sessions_second FROM @sessions_second;
	// EXECUTE sessions_second;
	// DEALLOCATE PREPARE sessions_second;
	// INSERT INTO `sessions_schema` (version) VALUES (2);
}

func ExampleOpen() {
	ctx := context.Background()
	store, err := mysql.Open(ctx, os.Getenv("DATABASE_URL"), mysql.Options{Table: "app_sessions"})
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
