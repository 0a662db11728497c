package demo

import (
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

const (
	addTime  = 5 * time.Millisecond // that an addition works between load and save
	maxNaive = 1000                 // sessions of the store that simply saves
)

// additions counts those of the page "Prove it".
var additions = sessions.Counter("prove.additions")

// naive is a store as it is often written: a map with load and save. Each request
// loads, works, and saves what it has made of it, over whatever is there by then.
type naive struct {
	mu     sync.Mutex
	counts map[core.ID]int64
}

func (n *naive) load(id core.ID) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts[id]
}

// save forgets some other session when it is full.
func (n *naive) save(id core.ID, count int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.counts[id]; !known && len(n.counts) >= maxNaive {
		for other := range n.counts {
			delete(n.counts, other)
			break
		}
	}
	n.counts[id] = count
}

type provePage struct {
	Login, Started time.Time
	Process        int
	Stored, Lost   bool // Lost: at a restart
	Store          string
}

func (s *site) provePage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", scripted)
	s.show(w, r, http.StatusOK, "prove", "Prove it", provePage{
		Login: v.LoginAt(), Started: s.started, Process: os.Getpid(),
		Stored: v.Stored(), Lost: s.forgets, Store: s.backend,
	})
}

// apiProveStart gives a visitor without a session one, and sets the counts to 0.
func (s *site) apiProveStart(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err == nil {
		err = v.Put("prove.additions", int64(0))
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if v.Stored() {
		s.naive.save(v.ID(), 0)
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Ready"})
}

// apiProveAdd adds 1 in both stores. The session was loaded before it waits.
func (s *site) apiProveAdd(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	count := s.naive.load(v.ID())
	if !wait(r, addTime) {
		return
	}
	s.naive.save(v.ID(), count+1)
	if _, err := additions.Add(v, 1); err != nil {
		s.badValue(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Added"})
}

func (s *site) apiProveCounts(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	n, err := additions.Get(v)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int64{"session": n, "naive": s.naive.load(v.ID())})
}

// apiProveServer says since when the server runs, and whether the visitor is
// still signed in.
func (s *site) apiProveServer(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{
		"started": when(s.started), "process": strconv.Itoa(os.Getpid()), "user": v.User(), "login": when(v.LoginAt()),
	})
}

// wait reports whether the client is still there afterwards.
func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
