package gateway

import (
	"errors"
	"net/http"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// answerCheck answers a proxy that asks about a request.
func (g *Gateway) answerCheck(w http.ResponseWriter, r *http.Request) {
	nethttp.NoStore(w.Header())
	no := &refusal{ResponseWriter: w, authRequest: g.o.Check.AuthRequest}
	j, err := (*http.Request)(nil), errAsker
	if g.o.Middleware.Trusted(r) {
		j, err = g.o.Check.judged(r)
	}
	if err != nil {
		g.cannotJudge(no, r, err)
		return
	}
	switch access, ok := g.admit(no, j); {
	case !ok:
	case access == Public:
		g.counts.add(outcomePublic)
		pass(w, nil)
	default:
		g.identify(w, no, j)
	}
}

// identify answers with the user of a request that needs one.
func (g *Gateway) identify(w, no http.ResponseWriter, r *http.Request) {
	x := *g.o.Middleware.Request(w, r)
	if !g.o.Check.Renew {
		x.NoCookie, x.Reply = true, nil
	}
	defer x.Close()
	s := g.signedIn(no, r, &x)
	if s == nil {
		return
	}
	if g.o.Check.Renew {
		if _, err := g.o.Middleware.Manager().Commit(&x, s); err != nil {
			w.Header().Del("Set-Cookie")
			g.turnAway(no, r, err)
			return
		}
	} else if g.notes.idle != 0 {
		g.notes.note(g.o.Middleware.Manager(), &x)
	}
	g.counts.add(outcomeSignedIn)
	pass(w, s)
}

// pass lets a request through, with who is signed in. Where there is nothing to say
// the fields are empty: some proxies overwrite a visitor's field only by another.
func pass(w http.ResponseWriter, s *core.Session) {
	for _, name := range identity {
		w.Header()[name] = []string{""}
	}
	if s != nil {
		SetIdentity(w.Header(), s)
	}
	w.WriteHeader(http.StatusOK)
}

// cannotJudge answers a question that is none: the proxy is set up wrongly, or
// somebody asks past it.
func (g *Gateway) cannotJudge(w http.ResponseWriter, r *http.Request, err error) {
	g.counts.add(outcomeBadCheck)
	g.mistake.Do(func() {
		g.o.Logger.Warn("gateway: a check was refused; this is logged once, see bad_check in the metrics", "error", err, "from", r.RemoteAddr)
	})
	status := http.StatusBadRequest
	if errors.Is(err, errAsker) {
		status = http.StatusForbidden
	}
	http.Error(w, "This request cannot be checked: "+err.Error()+".", status)
}

// refusal is the writer of an answer that lets nobody pass: a proxy takes any 2xx
// for leave, also one that is meant for the browser, such as 204 for htmx.
type refusal struct {
	http.ResponseWriter
	authRequest bool
	wrote       bool
}

func (w *refusal) WriteHeader(status int) {
	switch {
	case status < http.StatusMultipleChoices, w.authRequest && status < http.StatusBadRequest:
		status = http.StatusUnauthorized
	case w.authRequest && status < http.StatusInternalServerError && status != http.StatusUnauthorized:
		status = http.StatusForbidden
	}
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *refusal) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusUnauthorized)
	}
	return w.ResponseWriter.Write(p)
}
