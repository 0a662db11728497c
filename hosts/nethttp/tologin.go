package nethttp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// ToLogin sends a person to the login page, and reports whether it did: err is why
// nobody is signed in. A browser that asks for a page or submits a form gets 303 to
// [LoginURL], and htmx gets 204 with the field HX-Redirect, since it would swap the
// page that a 303 leads to into the middle of another. For all other clients, such as
// scripts, it sends nothing. Require does this with Options.LoginPath; it is exported
// for handlers that refuse requests by themselves.
func ToLogin(w http.ResponseWriter, r *http.Request, login string, err error) bool {
	w.Header().Add("Vary", "HX-Request")
	htmx := byHTMX(r)
	if !htmx && !wantsPage(r) {
		return false
	}
	NoStore(w.Header())
	to := LoginURL(login, r, err)
	if htmx {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}

// LoginURL returns the login page with two parameters in its query, both of which
// may be missing: return_to, the page to come back to, which [ReturnTo] reads, and
// reason, why a session that there was is over, which [LoginReason] reads.
//
// The page to come back to is the one that was asked for. For a form, and for htmx
// that asks for a part of a page, it is the page that they are on, if it is known
// to be of this origin: nothing is posted twice.
func LoginURL(login string, r *http.Request, err error) string {
	to, parseErr := url.Parse(login)
	if parseErr != nil {
		return login
	}
	q := to.Query()
	if target := wantedPage(r); IsLocal(target) {
		q.Set(returnParam, target)
	}
	if reason := core.ReasonOf(err); reason != core.ReasonNone {
		q.Set(reasonParam, reason.String())
	}
	to.RawQuery = q.Encode()
	return to.String()
}

// LoginReason says on a login page, in the words of [Explain], why the visitor is
// not signed in any more. It is empty where the request gives no reason that there
// is: nobody can put words of their own on the page.
func LoginReason(r *http.Request) string {
	given := r.URL.Query().Get(reasonParam)
	for reason := core.ReasonNone + 1; ; reason++ {
		refusal := core.NewRefusal(reason, false, "")
		if refusal == nil {
			return ""
		}
		if reason.String() == given {
			return Explain(refusal)
		}
	}
}

// byHTMX finds requests whose answer htmx handles. One that brings back an earlier
// page is as any browser's: htmx puts the page that a 303 leads to in its place.
func byHTMX(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && !bringsBack(r)
}

func bringsBack(r *http.Request) bool { return r.Header.Get("HX-History-Restore-Request") == "true" }

// wantsPage finds browsers that show the answer as a page. Those that do not send
// Sec-Fetch-Mode, because they are old or the site has no HTTPS, are known by
// Accept; only of GET and HEAD, since programs have sent such a POST, too.
func wantsPage(r *http.Request) bool {
	if bringsBack(r) {
		return true
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return reads(r) && r.Header.Get("X-Requested-With") == "" && prefersHTML(r.Header["Accept"])
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// prefersHTML reports whether no type has a higher quality than HTML, or an equal
// one and stands before it. "*/*", which programs send, is not HTML.
func prefersHTML(accept []string) bool {
	best, html := 0.0, false
	for entry := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, parameters, _ := strings.Cut(entry, ";")
		quality := 1.0
		for p := range strings.SplitSeq(parameters, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if !strings.EqualFold(name, "q") {
				continue
			}
			var err error
			if quality, err = strconv.ParseFloat(value, 64); err != nil || quality > 1 {
				quality = 0 // NaN is no better than 0, too
			}
		}
		if quality > best {
			best, kind = quality, strings.ToLower(strings.TrimSpace(kind))
			html = kind == "text/html" || kind == "application/xhtml+xml"
		}
	}
	return html
}

// wantedPage returns the path and query of the page to come back to, not checked,
// or nothing.
func wantedPage(r *http.Request) string {
	part := byHTMX(r) && r.Header.Get("HX-Boosted") != "true"
	if reads(r) && !part {
		return ownTarget(r)
	}
	from := r.Header.Get("HX-Current-URL")
	if from == "" {
		from = r.Header.Get("Referer")
	}
	page, err := url.Parse(from)
	if err != nil || !strings.EqualFold(page.Host, r.Host) && r.Header.Get("Sec-Fetch-Site") != "same-origin" {
		return ""
	}
	return page.RequestURI()
}

// ownTarget is the path and query as the browser sent them, before routers cut
// off a prefix.
func ownTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}
