package frameworks

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Framework is a web framework with its adapter.
type Framework struct {
	// Serve starts an application on a port of the loopback interface, which ends
	// with the test, and returns its URL, such as "http://127.0.0.1:34567".
	Serve func(t *testing.T, a App) (url string)
	// Remedy is a part of the error that a handler gets without the middleware.
	Remedy string
	// GoesOn says that a handler whose time is up goes on beside the answer; else the
	// framework ends its context, and lets it answer.
	GoesOn bool
	// RecoverFails says that recovery makes a panic an error of the handler, which
	// stores nothing; else recovery answers by itself.
	RecoverFails bool
}

// App is an application to build in the framework's own way.
type App struct {
	Middleware *nethttp.Middleware
	Times      int     // how often the application uses the middleware: 0, 1 or 2 times
	Outside    []Layer // around the middleware, the outermost first
	Inside     []Layer // between it and the routes
	Routes     []Route
	// Page is mounted at /devices, in the way in which the framework takes handlers of
	// net/http. Nil is none.
	Page http.Handler
	// OnError answers for the errors of routes and layers, as the framework's own
	// error handler does. Nil is the framework's default; a framework without one
	// answers as nethttp.Failure says.
	OnError func(c Ctx, err error) error
}

// Route handles GET and POST of a path.
type Route struct {
	Path    string
	Handle  func(c Ctx) error
	Private bool          // in a group that only signed-in visitors may enter
	Quiet   bool          // by the adapter's Quiet
	Timeout time.Duration // by the framework's middleware around the handler; 0: none
	Fresh   time.Duration // in a group with the adapter's RequireFresh; 0: none
	Methods []string      // in a group with the adapter's RequireMethods; none: none
	// Ready is the adapter's own handler, in place of Handle.
	Ready Ready
}

// Ready is a handler that the adapter brings.
type Ready int

// The handlers of adapters.
const (
	None   Ready = iota
	Status       // the adapter's Status
	Script       // the adapter's Script
)

// Layer is a middleware of the application.
type Layer struct {
	Kind Kind
	Call func(c Ctx) error // for the kind Call: an error ends the request
}

// Kind is what a layer does.
type Kind int

// The kinds.
const (
	Call    Kind = iota // calls a function before the rest
	Recover             // recovers from panics with a 500
	Gzip                // compresses the answer
)

// Ctx is a request in the framework: its methods do what they say in its own way.
type Ctx interface {
	Context() context.Context           // as it is passed to other packages
	Session() (*nethttp.Session, error) // by the adapter's From
	Header(name, value string)          // of the answer
	Text(status int, text string) error
	Redirect(to string) error // with 303
	// Stream answers with server-sent events, each of which leaves at once, until the
	// channel is closed.
	Stream(events <-chan string) error
	// Upgrade answers 101 to a WebSocket handshake with what Accept returns, takes
	// the connection, writes Frame(greeting) and closes it.
	Upgrade(greeting string) error
}
