package mission

import (
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// frameworks are the rows of what lies around and inside of the middleware.
var frameworks = []row{{"E24", bypassedAnswer}, {"E25", requestAsItWasLeft}}

// bypassed runs a handler that answers past the middleware's writer.
func (s *site) bypassed(do func(v *nethttp.Session) error) http.HandlerFunc {
	return func(outer http.ResponseWriter, r *http.Request) {
		s.mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			if err == nil {
				err = do(v)
			}
			fmt.Fprint(outer, v.User(), err)
		})).ServeHTTP(outer, r)
	}
}

func bypassedAnswer(t *testing.T, b backend) {
	for _, plain := range []bool{true, false} {
		s := open(t, b, setup{Config: hosts.Config{AllowInsecure: plain}, plain: plain})
		ann := s.browser()
		id := ann.login("/verbs", "ann")
		before, err := s.stored(id)
		require.NoError(t, err)
		read := ann.call("/call", s.bypassed(func(*nethttp.Session) error { return nil })).is(http.StatusOK)
		require.Equal(t, "ann<nil>", read.body)
		for _, do := range []func(v *nethttp.Session) error{
			func(v *nethttp.Session) error { return v.Login("ben", 0) },
			func(v *nethttp.Session) error { return v.Put("cart", "book") },
		} {
			a, err := ann.tryCall("/call", s.bypassed(do))
			if plain {
				require.NoError(t, err)
				require.Empty(t, a.is(http.StatusInternalServerError).cookies())
			} else {
				require.Error(t, err, "never a success")
			}
			after, err := s.stored(id)
			require.NoError(t, err)
			require.Equal(t, before, after)
		}
		require.Equal(t, 2, strings.Count(s.log.String(), "wrap the whole of it: mw.Handler(engine)"), "once for reads, once for losses")
		ann.get("/verbs/me").is(http.StatusOK)
	}
}

func requestAsItWasLeft(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	ann.login("/middleware", "ann")
	for _, wrap := range []func(http.Handler) http.Handler{s.mw.Handler, s.mw.Require} {
		for _, panics := range []bool{false, true} {
			form := new(multipart.Form)
			ann.call("/call", func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					if (recover() != nil) != panics || r.MultipartForm != form || r.Pattern != "/{name}" || r.PathValue("name") != "call" {
						t.Error("another request than the handler's", r.MultipartForm, r.Pattern, r.PathValue("name"))
					}
					if _, err := nethttp.From(r); err == nil {
						t.Error("the session outlives the middleware")
					}
				}()
				mux := http.NewServeMux()
				mux.HandleFunc("/{name}", func(_ http.ResponseWriter, r *http.Request) {
					if r.MultipartForm = form; panics {
						panic(core.ErrEnded)
					}
				})
				wrap(mux).ServeHTTP(w, r)
			}).is(http.StatusOK)
		}
	}
}
