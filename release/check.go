package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// forTests are modules that nobody imports: they are tidy, and that is all.
var forTests = []string{"conformance/mission", "conformance/peers", "dbstore/tests", "examples", "examples/cluster", "examples/natsstore",
	"caddy/tests", "hosts/migrate/tests", "release"}

// check sees the modules as users do: from a proxy, without go.work. The long form
// also compiles them and all that they require, and installs the commands.
func check(all []*mod, long bool) error {
	u, done, err := newUser(all)
	if err != nil {
		return err
	}
	defer done()
	v, err := version(all)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := u.isTidy(m); err != nil {
			return err
		}
		if isForTests(m) {
			continue
		}
		brought, err := u.get(m, v, long)
		if err != nil {
			return err
		}
		fmt.Printf("%-40s tidy; go get brings %d modules\n", m.path, brought)
	}
	return nil
}

func isForTests(m *mod) bool {
	for _, dir := range forTests {
		if m.dir == dir {
			return true
		}
	}
	return false
}

func (u *user) isTidy(m *mod) error {
	file, sum, err := u.tidied(m)
	if err != nil {
		return err
	}
	for name, want := range map[string][]byte{"go.mod": file, "go.sum": others(sum)} {
		have, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if name == "go.sum" {
			have = others(have)
		}
		if !bytes.Equal(have, want) {
			return fmt.Errorf("%s is not tidy: call go run ./release tidy; it would be\n%s", filepath.Join(m.dir, name), want)
		}
	}
	return nil
}

// get makes a program of a user's that requires the module, and counts the modules that
// came with it. The long form builds all of it.
func (u *user) get(m *mod, v string, long bool) (brought int, err error) {
	dir := filepath.Join(u.dir, "get", filepath.FromSlash(m.dir))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/app\n\ngo 1.26.0\n"), 0o644); err != nil {
		return 0, err
	}
	if _, err := u.run(dir, "get", m.path+"/...@"+v); err != nil {
		return 0, err
	}
	list, err := u.run(dir, "list", "-m", "all")
	if err != nil {
		return 0, err
	}
	if err := only(m, list); err != nil {
		return 0, err
	}
	brought = strings.Count(list, "\n") - 1
	if !long {
		return brought, nil
	}
	return brought, u.build(dir, m, v)
}

// build compiles everything where the user has it, and installs the commands.
func (u *user) build(dir string, m *mod, v string) error {
	if _, err := u.run(dir, "build", m.path+"/..."); err != nil {
		return err
	}
	if !strings.HasPrefix(m.dir, "cmd") {
		return nil
	}
	_, err := u.runWith(dir, []string{"GOBIN=" + u.dir}, "install", m.path+"@"+v)
	return err
}

// drivers are what a store or an adapter may bring, and nothing else of ours may.
var drivers = map[string]string{
	"github.com/ncruces/go-sqlite3":  "dbstore/sqlite",
	"github.com/jackc/pgx/v5":        "dbstore/postgres",
	"github.com/go-sql-driver/mysql": "dbstore/mysql",
	"github.com/redis/rueidis":       "cachestore/redis",
	"github.com/gin-gonic/gin":       "hosts/gin",
	"github.com/labstack/echo/v5":    "hosts/echo",
	"github.com/gofiber/fiber/v3":    "hosts/fiber",
}

// only refuses a driver that the module is not for: it would change the version
// of the user's own. Caddy brings drivers by itself.
func only(m *mod, list string) error {
	if m.dir == "stores/all" || m.dir == "cmd/sessionctl" || m.dir == "caddy" {
		return nil
	}
	for driver, dir := range drivers {
		if strings.Contains(list, driver+" ") != (dir == m.dir) {
			return fmt.Errorf("%s and %s: only %s brings it\n%s", m.path, driver, dir, list)
		}
	}
	return nil
}
