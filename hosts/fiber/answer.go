package fibersessions

import (
	"bytes"
	"maps"
	"net/http"
	"slices"

	"github.com/valyala/fasthttp"
)

// answer is a fasthttp.Response as a net/http middleware sees it from outside of
// its handler. What is written to it, such as an error page, replaces the answer.
type answer struct {
	response *fasthttp.Response
	header   http.Header // a copy of the response's; nil until it is asked for
	before   http.Header // the same, as it was copied
	status   int         // of what was written; 0: nothing
	body     bytes.Buffer
}

// framing are the fields that describe how the body is sent: fasthttp sets them.
var framing = []string{"Connection", "Content-Length", "Content-Type", "Server", "Trailer", "Transfer-Encoding"}

// Header is only asked for by a middleware that has something to do there.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.before = http.Header{}
		for name, value := range a.response.Header.All() {
			if !slices.Contains(framing, string(name)) {
				a.before.Add(string(name), string(value))
			}
		}
		a.header = maps.Clone(a.before)
	}
	return a.header
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// FlushError has nothing to do: fasthttp sends later.
func (a *answer) FlushError() error { return nil }

// send puts what the middleware did on the response.
func (a *answer) send() {
	to := &a.response.Header
	for name := range a.before {
		if a.header[name] == nil {
			to.Del(name)
		}
	}
	for name, values := range a.header {
		if !slices.Equal(values, a.before[name]) {
			to.Del(name)
			for _, v := range values {
				to.Add(name, v)
			}
		}
	}
	if a.status == 0 {
		return
	}
	to.Del("Content-Length")
	a.response.SetStatusCode(a.status)
	a.response.SetBodyRaw(a.body.Bytes())
}
