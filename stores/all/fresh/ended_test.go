package fresh

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

const (
	streams    = 120 // open connections, in all processes together
	perSession = 20  // of them
	soon       = time.Second
)

// stream is one connection that is open for events.
type stream struct {
	conn net.Conn
	user string
	over time.Time // when the server ended it
}

// open asks a process for its events, and returns when they have begun.
func open(p *process, user, cookie string) (*stream, error) {
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", cookie); err != nil {
		return nil, err
	}
	var seen []byte
	for !bytes.Contains(seen, []byte("hello "+user)) {
		chunk := make([]byte, 512)
		n, err := conn.Read(chunk)
		if err != nil {
			return nil, fmt.Errorf("%w after %q", err, seen)
		}
		seen = append(seen, chunk[:n]...)
	}
	return &stream{conn: conn, user: user}, conn.SetReadDeadline(time.Time{})
}

// openAll opens many streams, half of them alice's, each session's over all processes.
func openAll(t *testing.T, fleet []*process, n int) (all []*stream, cookie string) {
	c := client()
	defer c.CloseIdleConnections()
	for i := range n / perSession {
		user := "alice"
		if i%2 == 1 {
			user = fmt.Sprint("user", i)
		}
		_, set, err := call(c, fleet[i%len(fleet)], "POST", "/login?user="+user, "")
		require.NoError(t, err)
		if user == "alice" {
			cookie = set
		}
		for j := range perSession {
			s, err := open(fleet[(i+j)%len(fleet)], user, set)
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.conn.Close() })
			all = append(all, s)
		}
	}
	return all, cookie
}

// await notes when each stream of a user ends, until all have, or too much time has
// passed.
func await(all []*stream, user string) (wait func() (ended int)) {
	var of sync.WaitGroup
	for _, s := range all {
		if s.user != user {
			continue
		}
		_ = s.conn.SetReadDeadline(time.Now().Add(patience))
		of.Go(func() {
			if _, err := s.conn.Read(make([]byte, 64)); err == nil || !timedOut(err) {
				s.over = time.Now()
			}
		})
	}
	return func() (ended int) {
		of.Wait()
		for _, s := range all {
			if !s.over.IsZero() {
				ended++
			}
		}
		return ended
	}
}

func timedOut(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// stillOpen reports how many streams of others are open.
func stillOpen(all []*stream, user string) (n int) {
	for _, s := range all {
		if s.user == user {
			continue
		}
		_ = s.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := s.conn.Read(make([]byte, 64)); timedOut(err) {
			n++
		}
	}
	return n
}

// late returns the 99th percentile of the time from a moment to the end of a user's
// streams.
func late(all []*stream, user string, since time.Time) time.Duration {
	var d []time.Duration
	for _, s := range all {
		if s.user == user && !s.over.IsZero() {
			d = append(d, s.over.Sub(since))
		}
	}
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[int(math.Ceil(0.99*float64(len(d))))-1].Round(time.Millisecond)
}

// TestEndedReachesEveryStream: a user with many connections to three processes signs out
// everywhere. All of theirs end within a second of the acknowledgement, and nobody
// else's does; with a cache, where a logout waits, and without.
func TestEndedReachesEveryStream(t *testing.T) {
	n := soak.Rounds(t, streams, 10_000)
	for _, b := range backends {
		for _, cache := range []string{"8388608", "0"} {
			t.Run(b.name+" cache "+cache, func(t *testing.T) {
				store := b.open(t)
				var fleet []*process
				for range 3 {
					fleet = append(fleet, start(t, "-store", store, "-cache", cache))
				}
				all, cookie := openAll(t, fleet, n)
				wait := await(all, "alice")
				asked := time.Now()
				_, _, err := call(client(), fleet[0], "POST", "/everywhere", cookie)
				require.NoError(t, err)
				acknowledged := time.Now()
				ended, others := wait(), stillOpen(all, "alice")
				t.Logf("%d streams; of alice's %d ended; p99 from the request %v, from the acknowledgement %v; of the others %d are open",
					len(all), ended, late(all, "alice", asked), late(all, "alice", acknowledged), others)
				theirs := 0
				for _, s := range all {
					if s.user == "alice" {
						theirs++
					}
				}
				require.Equal(t, theirs, ended)
				require.Equal(t, len(all)-theirs, others)
				require.LessOrEqual(t, late(all, "alice", acknowledged), soon)
			})
		}
	}
}
