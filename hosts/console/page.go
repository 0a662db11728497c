package console

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// A Page is what is shown. Nothing in it has been escaped: html/template does that.
type Page struct {
	Texts   Texts
	User    string   // as the application has given it
	Devices []Device // the one that shows the page first, then those used last
	Next    string   // where the next page begins, for ?after=; nothing at the last one
	Alone   bool     // there are no others
	Notice  string   // what was done
	Trouble string   // what was not done, and why
	Style   string   // the URL of the style sheet of HTML
}

// A Device is one session of the user. A form of method POST with its ID as the field
// "end" logs it out; the field "others" with any value, all but this one.
type Device struct {
	ID        core.ID
	Name      string // "Chrome on macOS", by Texts
	This      bool   // it shows the page
	FirstSeen time.Time
	LastUsed  time.Time // to a sixteenth of the idle timeout
	Ends      time.Time // unless it is used further
	Address   string    // of the last use; empty where it is not known
	UserAgent string    // of the last use, by Printable
}

//go:embed style.css
var style string

//go:embed page.html
var pageHTML string

//go:embed devices.html
var devicesHTML string

var (
	ownPage  = template.Must(template.New("page").Parse(pageHTML))
	fragment = template.Must(template.New("devices").Parse(devicesHTML))
	styleURL = func() string {
		sum := sha256.Sum256([]byte(style))
		return "?css=" + hex.EncodeToString(sum[:6])
	}()
)

// HTML is the title, the list and the forms, for the main part of a layout of the
// application's: {{.HTML}} in its template. It begins with an h1. The layout links the
// style sheet at Style.
func (p Page) HTML() (template.HTML, error) {
	var out strings.Builder
	err := fragment.Execute(&out, p)
	return template.HTML(out.String()), err
}

// writeStyle answers for the style sheet, whose URL bears a hash: it never changes.
func writeStyle(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write([]byte(style)) // the browser has gone
}
