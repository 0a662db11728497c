package gateway

import (
	"net/http"
	"sync"
)

// flight knows when no request runs. A server that shuts down does not wait for
// the connections that were taken from it, as those of WebSockets are.
type flight struct {
	next    http.Handler
	mu      sync.Mutex
	running int
	none    chan struct{} // nil until somebody waits
}

func (f *flight) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.add(1)
	defer f.add(-1)
	f.next.ServeHTTP(w, r)
}

func (f *flight) add(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running += n
	if f.running == 0 && f.none != nil {
		close(f.none)
		f.none = nil
	}
}

// landed returns a channel that is closed once no request runs.
func (f *flight) landed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	none := make(chan struct{})
	if f.running == 0 {
		close(none)
	} else {
		f.none = none
	}
	return none
}
