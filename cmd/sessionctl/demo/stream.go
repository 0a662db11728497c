package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Bounds of one stream.
const (
	streamTime  = 5 * time.Minute  // then the browser asks again, with its cookie
	streamWrite = 10 * time.Second // for a client that does not read
)

// apiEvents sends the events of the visitor's own session as they happen
// (server-sent events). It ends with the client, the session or the server.
func (s *site) apiEvents(w http.ResponseWriter, r *http.Request, v *nethttp.Session) {
	id := v.ID()
	leave, ok := s.feed.join(id)
	if !ok {
		w.Header().Set("Retry-After", "60")
		apiError(w, http.StatusServiceUnavailable, fmt.Sprintf(
			"Too many event streams: %d of one session and %d of all are open at most", maxOwnStreams, maxStreams), "too_many")
		return
	}
	defer leave()
	from, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	if err == nil {
		from++
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(gzhttp.HeaderNoCompression, "1")
	end := time.NewTimer(streamTime)
	defer end.Stop()
	text := bytes.NewBufferString("retry: 1000\n\n")
	for {
		list, next, more := s.feed.since(id, from)
		from = next
		over := writeSteps(text, list)
		if !send(w, text) || over {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		case <-s.feed.done:
			return
		case <-end.C:
			return
		}
	}
}

// writeSteps reports whether one of them ended the session.
func writeSteps(text *bytes.Buffer, list []step) (over bool) {
	for _, one := range list {
		data, _ := json.Marshal(one) // strings and a time of this century
		fmt.Fprintf(text, "id: %d\ndata: %s\n\n", one.number, data)
		over = over || one.over
	}
	return over
}

// send empties text and reports whether the client still reads.
func send(w http.ResponseWriter, text *bytes.Buffer) bool {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(streamWrite)) // a writer of a test has none
	if _, err := text.WriteTo(w); err != nil {
		return false
	}
	return control.Flush() == nil
}
