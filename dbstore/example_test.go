package dbstore_test

import (
	"fmt"

	"github.com/rockstar-web/sessions/dbstore"
)

func ExampleParseTable() {
	t, err := dbstore.ParseTable("app.sessions", dbstore.Syntax{Quote: `"`, Qualified: true})
	fmt.Println(t, err)
	_, err = dbstore.ParseTable("sessions; DROP TABLE users", dbstore.Syntax{})
	fmt.Println(err != nil)
	// Output:
	// "app"."sessions" <nil>
	// true
}
