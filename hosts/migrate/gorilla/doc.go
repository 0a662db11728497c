// Package gorilla reads the sessions of github.com/gorilla/sessions, so that
// package migrate can move them: those of its CookieStore and FilesystemStore, and
// of what is built on these, such as gin-contrib/sessions with its cookie store and
// labstack/echo-contrib. Import it under a name of its own:
//
//	import gorillamigrate "github.com/rockstar-web/sessions/hosts/migrate/gorilla"
//
// It needs what the store was made with, and not the store. A moved session lives
// no longer than the old cookie would have: its age is sealed in it.
//
// A session of the CookieStore is in its cookie alone. Servers with the old code
// do not learn that it has ended, and go on accepting a copy of it; servers with the
// new code refuse it. Each cookie that an old server sets anew is another one to
// them: a copy of one that no new server has seen is refused by age alone.
//
// Types of the application that old sessions hold must be registered with
// encoding/gob as before. Where one is not, the session's other values move, and
// with them the login, and a log line names the type.
package gorilla
