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

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func main() { log.Fatal(run()) }

func run() error {
	key, err := hosts.KeyFromEnv("SESSION_ENCRYPTION_KEY")
	if err != nil {
		return err
	}
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		return err
	}
	manager, err := hosts.New(store, hosts.Config{Key: key})
	if err != nil {
		return err
	}
	mw, err := nethttp.New(manager, nethttp.Options{})
	if err != nil {
		return err
	}
	addr := cmp.Or(os.Getenv("ADDR"), "localhost:8080")
	log.Printf("http://%s (alice / wonderland)", addr)
	return http.ListenAndServe(addr, routes(mw))
}

// The middleware goes around the handlers of Connect, which are those of net/http.
func routes(mw *nethttp.Middleware) http.Handler {
	mux := http.NewServeMux()
	handle(mux, "/visits.v1.Visits/Add", add)
	handle(mux, "/visits.v1.Visits/Login", login)
	handle(mux, "/visits.v1.Visits/Logout", logout)
	handle(mux, "/account.v1.Account/Flash", flash, connect.WithInterceptors(signedIn))
	return http.NewCrossOriginProtection().Handler(mw.Handler(mux))
}

func handle[Q, A any](mux *http.ServeMux, procedure string, f func(context.Context, *nethttp.Session, *Q) (*A, error), o ...connect.HandlerOption) {
	mux.Handle(procedure, connect.NewUnaryHandlerSimple(procedure, func(ctx context.Context, q *Q) (*A, error) {
		s, err := nethttp.FromContext(ctx)
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
		s, err := nethttp.FromContext(ctx)
		if err == nil && s.User() == "" {
			err = cmp.Or(s.Refusal(), nethttp.ErrNotSignedIn)
		}
		if err != nil {
			return nil, failed(err)
		}
		return next(ctx, r)
	}
}

func add(_ context.Context, s *nethttp.Session, _ *emptypb.Empty) (*wrapperspb.Int64Value, error) {
	n, err := s.Add("visits", 1) // calls at the same moment all count
	return wrapperspb.Int64(n), err
}

func login(_ context.Context, s *nethttp.Session, q *structpb.Struct) (*emptypb.Empty, error) {
	if q.Fields["user"].GetStringValue() != "alice" || q.Fields["password"].GetStringValue() != "wonderland" { // your users stand here
		return nil, connect.NewError(connect.CodePermissionDenied, errors.New("wrong user or password"))
	}
	if err := s.Login("alice", 0); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.Put("flash", "Welcome, alice.")
}

func logout(_ context.Context, s *nethttp.Session, _ *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.Destroy() // at once, also for calls in flight
}

func flash(_ context.Context, s *nethttp.Session, _ *emptypb.Empty) (*wrapperspb.StringValue, error) {
	text, err := s.Take("flash") // of two calls, one gets it
	if errors.Is(err, hosts.ErrNoValue) {
		return wrapperspb.String(""), nil
	}
	found, _ := text.(string)
	return wrapperspb.String(found), err
}

// failed tells an error of a session in a code of Connect.
func failed(err error) error {
	if _, ok := errors.AsType[*connect.Error](err); ok || err == nil {
		return err
	}
	code := connect.CodeInternal
	status, text := nethttp.Failure(err)
	switch status {
	case http.StatusUnauthorized:
		code = connect.CodeUnauthenticated
	case http.StatusConflict:
		code = connect.CodeAborted
	case http.StatusServiceUnavailable:
		code = connect.CodeUnavailable
	}
	return connect.NewError(code, errors.New(text))
}
