// Package click starts an example as the program that it is, and clicks through
// it as a browser would.
package click

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asProgram makes a test's binary the example itself, so that what runs is built
// with the race detector.
const asProgram = "EXAMPLE_RUNS"

const patience = 30 * time.Second

// Main is the TestMain of an example.
func Main(m *testing.M, main func()) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A Browser has the cookies of one visitor.
type Browser struct {
	t      *testing.T
	URL    string
	Client *http.Client
	Header http.Header // more to send
}

// Start runs the example in a directory of its own until the test ends.
func Start(t *testing.T) *Browser {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	addr := "localhost:" + port
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path)
	cmd.Dir, cmd.Stderr = t.TempDir(), os.Stderr
	cmd.Env = append(os.Environ(), asProgram+"=1", "ADDR="+addr, "SESSION_ENCRYPTION_KEY="+aKey())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stop(); <-ended })
	await(t, addr, ended)
	jar, _ := cookiejar.New(nil)
	return &Browser{t, "http://" + addr, &http.Client{Jar: jar, Timeout: patience}, http.Header{}}
}

func aKey() string {
	var key [32]byte
	rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}

func await(t *testing.T, addr string, ended chan error) {
	t.Helper()
	late := time.After(patience)
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the example has ended: %v", err)
		case <-late:
			t.Fatalf("the example does not listen: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Another is a visitor without cookies.
func (b *Browser) Another() *Browser {
	jar, _ := cookiejar.New(nil)
	return &Browser{b.t, b.URL, &http.Client{Jar: jar, Timeout: patience}, http.Header{}}
}

// Get returns the status and the text of a page.
func (b *Browser) Get(path string) (status int, text string) {
	return b.send(http.MethodGet, path, nil)
}

// Post sends a form. It follows where the answer leads.
func (b *Browser) Post(path string, form url.Values) (status int, text string) {
	return b.send(http.MethodPost, path, form)
}

func (b *Browser) send(method, path string, form url.Values) (int, string) {
	b.t.Helper()
	r, err := http.NewRequest(method, b.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range b.Header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a, err := b.Client.Do(r)
	if err != nil {
		b.t.Error(err)
		return 0, ""
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Error(err)
	}
	if to := a.Header.Get("HX-Redirect"); to != "" { // as htmx does, by the browser itself
		plain := *b
		plain.Header = nil
		return plain.Get(to)
	}
	return a.StatusCode, string(text)
}
