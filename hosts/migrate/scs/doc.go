// Package scs reads the sessions of github.com/alexedwards/scs/v2, so that package
// migrate can move them. Import it under a name of its own:
//
//	import scsmigrate "github.com/rockstar-web/sessions/hosts/migrate/scs"
//
// All that it needs is the scs.SessionManager as it was: store, codec and cookie.
// The middleware of that, LoadAndSave, goes.
//
// A moved session lives no longer than the scs session's deadline. An IdleTimeout
// of scs does not move: set hosts.Config.IdleTimeout.
//
// Types of the application that old sessions hold must be registered with
// encoding/gob as before. Where one is not, the session's other values move, and
// with them the login, and a log line names the type.
package scs
