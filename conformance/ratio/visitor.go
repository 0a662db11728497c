package ratio

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
)

// Visitor keeps the cookies of a server of its own, over HTTP on loopback.
type Visitor struct {
	tb     testing.TB
	url    string
	client *http.Client
}

// NewVisitor serves h until the test ends.
func NewVisitor(tb testing.TB, h http.Handler) *Visitor {
	tb.Helper()
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	v := &Visitor{tb, server.URL, &http.Client{Jar: jar, Transport: &http.Transport{}}}
	tb.Cleanup(v.client.CloseIdleConnections)
	return v
}

// Post sends a request. Any answer but 200 fails the test.
func (v *Visitor) Post(path string) {
	v.tb.Helper()
	answer, err := v.client.Post(v.url+path, "", nil)
	if err != nil {
		v.tb.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		v.tb.Fatal(path, answer.Status, err)
	}
}

// Posts returns what sends n requests, one after the other.
func (v *Visitor) Posts(path string, n int) func() {
	return func() {
		for range n {
			v.Post(path)
		}
	}
}
