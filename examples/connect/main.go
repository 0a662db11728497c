// A Connect service whose calls share the session of the browser that makes them.
// The procedures take well-known types, so that no code has to be generated; a
// generated service finds the session in its context in the same way.
//
//	SESSION_ENCRYPTION_KEY=$(openssl rand -hex 32) go run ./connect
package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net/http"
	"os"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
)

func main() { log.Fatal(run()) }

func run() error {
	store, err := cachestore.Open(cachestore.Options{}) // memory, for one process
	if err != nil {
		return err
	}
	app, err := sessions.New(store, sessions.Config{}) // its key is in SESSION_ENCRYPTION_KEY
	if err != nil {
		return err
	}
	addr := cmp.Or(os.Getenv("ADDR"), "localhost:8080")
	log.Printf("http://%s (alice / wonderland)", addr)
	return http.ListenAndServe(addr, routes(app))
}

var (
	visits = sessions.Counter("visits")
	flash  = sessions.Value[string]("flash")
)

// The middleware goes around the handlers of Connect, which are those of net/http.
func routes(app *sessions.Middleware) http.Handler {
	mux := http.NewServeMux()
	handle(mux, "/visits.v1.Visits/Add", add)
	handle(mux, "/visits.v1.Visits/Login", login)
	handle(mux, "/visits.v1.Visits/Logout", logout)
	handle(mux, "/account.v1.Account/Flash", takeFlash, connect.WithInterceptors(signedIn))
	return http.NewCrossOriginProtection().Handler(app.Handler(mux))
}

func handle[Q, A any](mux *http.ServeMux, procedure string, f func(context.Context, *sessions.Session, *Q) (*A, error), o ...connect.HandlerOption) {
	mux.Handle(procedure, connect.NewUnaryHandlerSimple(procedure, func(ctx context.Context, q *Q) (*A, error) {
		s, err := sessions.FromContext(ctx)
		if err != nil {
			return nil, failed(err)
		}
		a, err := f(ctx, s, q)
		return a, failed(err)
	}, o...))
}

// signedIn is Require in the words of Connect: its clients expect no page.
var signedIn connect.UnaryInterceptorFunc = func(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		s, err := sessions.FromContext(ctx)
		if err == nil && s.User() == "" {
			err = cmp.Or(s.Refusal(), sessions.ErrNotSignedIn)
		}
		if err != nil {
			return nil, failed(err)
		}
		return next(ctx, r)
	}
}

func add(_ context.Context, s *sessions.Session, _ *emptypb.Empty) (*wrapperspb.Int64Value, error) {
	n, err := visits.Add(s, 1) // calls at the same moment all count
	return wrapperspb.Int64(n), err
}

func login(_ context.Context, s *sessions.Session, q *structpb.Struct) (*emptypb.Empty, error) {
	if q.Fields["user"].GetStringValue() != "alice" || q.Fields["password"].GetStringValue() != "wonderland" { // your own check comes here
		return nil, connect.NewError(connect.CodePermissionDenied, errors.New("wrong user or password"))
	}
	if err := s.Login("alice", 0); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, flash.Put(s, "Welcome, alice.")
}

func logout(_ context.Context, s *sessions.Session, _ *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.Destroy() // at once, also for calls in flight
}

func takeFlash(_ context.Context, s *sessions.Session, _ *emptypb.Empty) (*wrapperspb.StringValue, error) {
	text, _, err := flash.Take(s) // of two calls, one gets it
	return wrapperspb.String(text), err
}

// failed tells an error of a session in a code of Connect.
func failed(err error) error {
	if _, ok := errors.AsType[*connect.Error](err); ok || err == nil {
		return err
	}
	code := connect.CodeInternal
	status, text := sessions.Failure(err)
	switch status {
	case http.StatusUnauthorized:
		code = connect.CodeUnauthenticated
	case http.StatusConflict:
		code = connect.CodeAborted
	case http.StatusServiceUnavailable:
		code = connect.CodeUnavailable
	default:
		log.Print(err)
	}
	return connect.NewError(code, errors.New(text))
}
