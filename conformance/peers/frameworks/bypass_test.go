package frameworks

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// bodies are ways to answer, and whether the server still has all of it then.
var bodies = []struct {
	name string
	held bool
	send func(w http.ResponseWriter, r *http.Request)
}{
	{"small", true, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome") }},
	{"redirect", true, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/home", http.StatusSeeOther) }},
	{"2 kB", true, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 2000)) }},
	{"1 MB", false, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) }},
	{"flushed", false, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "welcome")
		_ = http.NewResponseController(w).Flush()
	}},
}

// TestALoginWhoseAnswerWentPastTheWriterIsNoSuccess, in whatever framework: it
// is answered 500 where HTTP/1 still has the answer, else cut off.
func TestALoginWhoseAnswerWentPastTheWriterIsNoSuccess(t *testing.T) {
	for name, mount := range careless {
		for _, protocol := range protocols {
			for _, body := range bodies {
				t.Run(name+"/"+protocol+"/"+body.name, func(t *testing.T) {
					s := open(t)
					server := s.serve(t, protocol, mount(s.mw, func(w http.ResponseWriter, r *http.Request) {
						v, err := nethttp.From(r)
						if err == nil {
							err = v.Login("alice", 0)
						}
						if err != nil {
							t.Error(err)
						}
						body.send(w, r)
					}))
					a := ask(server, "POST", "")
					if body.name == "redirect" && strings.HasPrefix(name, "gin") { // gin keeps a status back: nothing has been sent
						require.NoError(t, a.err)
						require.Equal(t, http.StatusSeeOther, a.status)
						require.NotEmpty(t, a.header["Set-Cookie"])
						require.Equal(t, 1, s.memory.Stats().Sessions)
						return
					}
					if body.held && protocol == "HTTP/1.1" {
						require.NoError(t, a.err)
						require.Equal(t, http.StatusInternalServerError, a.status)
						require.Equal(t, "The session of this request cannot be stored: a fault of this server.\n", a.body)
					} else {
						require.Error(t, a.err)
					}
					require.Empty(t, a.header["Set-Cookie"])
					require.Zero(t, s.memory.Stats().Sessions)
					require.Equal(t, 1, strings.Count(s.log.String(), "wrap the whole of it: mw.Handler(engine)"), s.log.String())
					require.Contains(t, s.log.String(), "level=ERROR")
				})
			}
		}
	}
}

// TestAReadWhoseAnswerWentPastTheWriterIsLogged, and served: nothing is lost of
// it. So is a page that asks for no session, without a line.
func TestAReadWhoseAnswerWentPastTheWriterIsLogged(t *testing.T) {
	for name, mount := range careless {
		for _, protocol := range protocols {
			t.Run(name+"/"+protocol, func(t *testing.T) {
				s := open(t)
				for lines, f := range []func(r *http.Request){func(*http.Request) {}, func(r *http.Request) {
					if v, err := nethttp.From(r); err != nil || v.User() != "" {
						t.Error(v, err)
					}
				}} {
					server := s.serve(t, protocol, mount(s.mw, func(w http.ResponseWriter, r *http.Request) {
						f(r)
						fmt.Fprint(w, "welcome")
					}))
					for range 3 {
						a := ask(server, "GET", "")
						require.NoError(t, a.err)
						require.Equal(t, 200, a.status)
						require.Equal(t, strings.HasPrefix(protocol, "HTTP/2"), a.proto == 2)
						require.Equal(t, "welcome", a.body)
					}
					require.Equal(t, lines, strings.Count(s.log.String(), "mw.Handler(engine)"), s.log.String())
				}
			})
		}
	}
}
