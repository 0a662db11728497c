//go:build unix

package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
)

const (
	between = 5 * time.Millisecond   // two reads of one server
	beyond  = 300 * time.Millisecond // for which they go on after the acknowledgement
)

// seen is what a copy of the cookie was shown by one server.
type seen struct {
	Server int   `json:"server"`
	Reads  int   `json:"reads"`
	Last   int64 `json:"last"`  // when the last read began that showed the visitor signed in, in milliseconds
	After  int   `json:"after"` // reads that began after the acknowledgement
	Late   int   `json:"late"`  // of those, the ones that showed the visitor signed in
}

// signOut signs the visitor out by one server, while a copy of their cookie is read by
// all of them. It reports until when each of them knew no better.
func (t *front) signOut(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie(core.DefaultCookieName)
	if err != nil {
		http.Error(w, "nobody is signed in", http.StatusConflict)
		return
	}
	cookie := c.Name + "=" + c.Value // without the one that follows a change: caches may answer
	t.warm(r.Context(), cookie)
	start := time.Now()
	acknowledged, over := make(chan struct{}), make(chan struct{})
	var all [servers]seen
	var wait sync.WaitGroup
	for i, p := range t.fleet {
		all[i].Server = p.n
		wait.Go(func() { t.read(r.Context(), p, cookie, start, acknowledged, over, &all[i]) })
	}
	header, err := t.ask(r.Context(), t.pick(r.FormValue("server")), "POST", "/logout", cookie, new(state))
	took := time.Since(start)
	close(acknowledged)
	<-time.After(beyond)
	close(over)
	wait.Wait()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header()["Set-Cookie"] = header["Set-Cookie"]
	answer(w, map[string]any{"acknowledged": took.Milliseconds(), "servers": all})
}

// warm has every server that answers keep the session in its cache.
func (t *front) warm(ctx context.Context, cookie string) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	var wait sync.WaitGroup
	for _, p := range t.fleet {
		wait.Go(func() { _, _ = t.ask(ctx, p, "GET", "/who", cookie, new(state)) })
	}
	wait.Wait()
}

// read asks one server again and again who the visitor is.
func (t *front) read(ctx context.Context, p *process, cookie string, start time.Time, acknowledged, over <-chan struct{}, s *seen) {
	for {
		late := done(acknowledged)
		begun := time.Since(start)
		var who state
		_, err := t.ask(ctx, p, "GET", "/who", cookie, &who)
		if err == nil {
			s.Reads++
			if late {
				s.After++
			}
			if who.User != "" {
				s.Last = begun.Milliseconds()
				if late {
					s.Late++
				}
			}
		}
		select {
		case <-over:
			return
		case <-time.After(between):
		}
	}
}

func done(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
