package migrate

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Source is the library that visitors come from. It is safe for concurrent use.
type Source interface {
	// Cookie is how the old cookie is set: its name, path, domain and attributes.
	// The value is of no matter.
	Cookie() http.Cookie

	// Load reads the old session that a request's cookie is of. It is nil where
	// the cookie is missing, or is none that the old library has made. Other errors
	// than ErrUnreadable and ErrNotOpened mean that it is not known at the moment.
	Load(ctx context.Context, r *http.Request) (*Old, error)

	// End ends the old session in its store, where it has one; a missing one is
	// no error.
	End(ctx context.Context, token string) error
}

// ErrNotOpened is for sources: a cookie is not sealed with the keys that the source
// has. Its visitor is anonymous, and the first one is logged.
var ErrNotOpened = errors.New("the old cookie does not open")

// Old is an old session.
type Old struct {
	// Token names the session for as long as it lives. What is derived from it
	// proves the session, so nobody else can know it.
	Token string
	// Values are the session's. They are nil where it has ended, or cannot be
	// found any more.
	Values map[string]any
	// Expires is the end of the session's lifetime, and of its cookie.
	Expires time.Time
}
