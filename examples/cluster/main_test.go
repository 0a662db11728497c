//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts/feed"
)

// asProgram makes the test's binary the program itself.
const asProgram = "CLUSTER_RUNS"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), append([]string{asProgram + "=1", "ADDR=127.0.0.1:0", "STORE="}, env...)...)
	return cmd
}

// runs starts the program, until the test ends, and returns its address.
func runs(t *testing.T) (site string) {
	t.Helper()
	cmd := program(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("an interrupt is a good end: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(line, "/\n")
}

// TestStory: what one server was told the others know, also the one that was killed, and
// after the acknowledgement of a sign-out nobody lets a copy of the cookie in.
func TestStory(t *testing.T) {
	site := runs(t)
	jar, _ := cookiejar.New(nil) // never fails
	c := &http.Client{Jar: jar}
	call := func(method, path string, v any) {
		t.Helper()
		r, err := http.NewRequest(method, site+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != http.StatusOK || json.Unmarshal(text, v) != nil {
			t.Fatalf("%s %s: %s %s %v", method, path, a.Status, text, err)
		}
	}
	var s state
	call("POST", "/1/login", &s)
	call("POST", "/2/add", &s)
	call("POST", "/kill", new(bool))
	call("POST", "/3/add", &s)
	if call("GET", "/1/who", &s); s != (state{1, "alice", 2}) {
		t.Errorf("server 1 shows %+v", s)
	}
	var all [servers]*counts
	for began := time.Now(); !cached(all); { // the caches answer when the cookie of the change is over
		if time.Since(began) > patience*servers {
			b, _ := json.Marshal(all)
			t.Fatalf("the caches do not answer: %s", b)
		}
		for _, path := range []string{"/1/who", "/2/who", "/3/who"} {
			call("GET", path, &s)
		}
		call("GET", "/counts", &all)
	}
	var signOut struct {
		Acknowledged int64
		Servers      []seen
	}
	call("POST", "/signout?server=2", &signOut)
	if signOut.Acknowledged < feed.Wait.Milliseconds() {
		t.Errorf("the sign-out did not wait for the caches: %d ms", signOut.Acknowledged)
	}
	for _, s := range signOut.Servers {
		if s.After == 0 || s.Late > 0 {
			t.Errorf("after the acknowledgement: %+v", s)
		}
	}
	if call("GET", "/3/who", &s); s.User != "" {
		t.Errorf("server 3 shows %+v", s)
	}
}

// cached reports whether each server has answered a read from its cache.
func cached(all [servers]*counts) bool {
	for _, c := range all {
		if c == nil || c.Cached == 0 {
			return false
		}
	}
	return true
}

// TestRefusals say what is allowed.
func TestRefusals(t *testing.T) {
	for env, want := range map[string]string{
		"ADDR=:8080":                "127.0.0.1:8080",
		"STORE=memory:":             "use PostgreSQL, MySQL, MariaDB, SQLite",
		"STORE=sqlite:x?cache=1MiB": "leave cache= out of STORE",
	} {
		cmd := program(t, env)
		cmd.Dir = t.TempDir()
		text, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %s", env, err, text)
		}
	}
}
