package demo

import (
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

const (
	addTime  = 5 * time.Millisecond // that an addition works between load and save
	maxNaive = 1000                 // runs in the store that simply saves
)

// naive is a store as it is often written: a map with load and save. Each request
// loads, works, and saves what it has made of it, over whatever is there by then.
type naive struct {
	mu     sync.Mutex
	counts map[naiveKey]int64
}

type naiveKey struct {
	id core.ID
	run
}

func (n *naive) load(key naiveKey) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts[key]
}

func (n *naive) forget(key naiveKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.counts, key)
}

// save forgets some other run when it is full.
func (n *naive) save(key naiveKey, count int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.counts[key]; !known && len(n.counts) >= maxNaive {
		for other := range n.counts {
			delete(n.counts, other)
			break
		}
	}
	n.counts[key] = count
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

// apiProveStart gives a visitor without a session one, and begins a run at 0.
func (s *site) apiProveStart(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	var one run
	if err == nil {
		one, err = s.startRun(v)
	}
	if err != nil {
		s.badValue(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Ready", "run": string(one)})
}

// apiProveAdd adds 1 in both stores. The session was loaded before it waits.
func (s *site) apiProveAdd(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	one, ok := s.runOf(w, r, v)
	if !ok {
		return
	}
	key := naiveKey{v.ID(), one}
	count := s.naive.load(key)
	if !wait(r, addTime) {
		return
	}
	s.naive.save(key, count+1)
	if _, err := one.added().Add(v, 1); err != nil {
		s.badValue(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Added"})
}

func (s *site) apiProveCounts(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	one, ok := s.runOf(w, r, v)
	if !ok {
		return
	}
	n, err := one.added().Get(v)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int64{"session": n, "naive": s.naive.load(naiveKey{v.ID(), one})})
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
