package mission

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

const (
	token32  = "a token of the store handler, of no use"
	password = "sentinel-password-of-no-use"

	largeText = 16 << 10 // of a value that is printed in two ways only
)

// innocent are exported types that hold no secret; but a Seed is randomness, and the
// Effects of a commit have the cookie that is to be set: both are arguments of the
// core, which no program of a manager sees. A CookieRoom is a host's own memory.
var innocent = strings.Fields(`core.ConflictError core.CrossSite core.Effects core.Error core.Inspection core.MergeKind core.Policy core.PolicyError core.Reason core.Record
	core.Refusal core.Request core.SameSite core.Scope core.Seed core.SizeError core.State core.Deed core.ID core.Time core.Version
	coalesce.Options coalesce.Store hosts.CookieRoom hosts.Event hosts.EventKind hosts.UpdateFunc hosts.Updates hosts.RequestKey hosts.Loaded hosts.Query hosts.Saving hosts.Doubt hosts.Watch hosts.AtLimit
	hosts.Stats hosts.Queue hosts.Queues hosts.CacheStats hosts.MemoryStats hosts.Call hosts.Op hosts.Failure
	hosts.ConfigError nethttp.HandlerFunc nethttp.Options nethttp.Status nethttp.StatusError gateway.Access gateway.Check gateway.Rule`)

// nothingSecretIsPrinted of anything that a program can hold.
func nothingSecretIsPrinted(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{RenewAfter: 10 * 60 * 1e9, NoCleanup: true}})
	ann := s.browser()
	ann.login("/middleware", "ann")
	cookie := ann.cookie()
	other := s.browser()
	other.login("/middleware", "ben")
	_, secret := openCookie(t, cookie, key, "")
	p := newPress(t)
	if b.name == "cache" { // what is the same over every store
		p.ofNoStore(cookie, other.cookie(), s.clock.Now())
	}
	a := ann.call("/call", s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		require.NoError(t, err)
		require.NoError(t, v.Renew())
		x := hosts.RequestFrom(r.Context())
		session, err := s.manager.GetSessionFromCookie(x)
		require.NoError(t, err)
		require.NoError(t, s.manager.SetCookie(x, session)) // which waits in the visit for the first byte
		p.print(v, x, x.Cookies, session, x.Current())
		p.plain(r.Context(), w)
	})).ServeHTTP).is(http.StatusOK)
	s.stop() // to print what is in use would be a race
	if s.free != nil {
		s.free()
	}
	p.store(s)
	for what, hidden := range map[string]string{
		"key": string(key.Bytes()), "secret": string(secret), "cookie": cookie, "new cookie": a.cookie().Value, "token": token32, "password": password,
	} {
		p.requireHidden(what, hidden)
	}
	if b.name == "cache" {
		p.requireEveryType()
	}
}

// press prints values in every way.
type press struct {
	*testing.T
	text strings.Builder
	seen map[string]bool // types
}

func newPress(t *testing.T) *press { return &press{T: t, seen: map[string]bool{}} }

// ofNoStore prints tickets of two cookies, and what a program sets sessions up with.
func (p *press) ofNoStore(cookie, other string, now core.Time) {
	machine, err := core.NewMachine(core.Policy{}, core.KeyRing{{Bytes: key}})
	require.NoError(p, err)
	tickets, err := machine.Identify([]string{core.DefaultCookieName + "=" + cookie + "; " + core.DefaultCookieName + "=" + other}, "", now)
	require.NoError(p, err)
	require.Len(p, tickets, 2)
	p.print(machine, tickets, tickets[0], tickets[1])
	p.print(core.Login{Stamp: core.NewSecret(password)}, hosts.Login{Stamp: core.NewSecret(password), Methods: []string{"pwd"}})
	ring := core.KeyRing{{Bytes: key, OpenUntil: core.Day}}
	e, err := engine()
	require.NoError(p, err)
	guest, err := e.Configure(core.Policy{}, core.KeyRing{{Bytes: key}})
	require.NoError(p, err)
	server := new(wire.Server)
	client, err := wire.Configure(func(frame []byte) ([]byte, error) { return server.Handle(nil, frame), nil }, core.Policy{}, core.KeyRing{{Bytes: key}})
	require.NoError(p, err)
	p.print(key, ring[0], ring, hosts.Config{Key: key, Keys: ring}, e, guest, client, server, core.ByID(core.ID{1}),
		redis.Options{SentinelPassword: core.NewSecret(password)})
}

// store prints a store, and what serves it.
func (p *press) store(s *site) {
	handler, err := nethttp.StoreHandler(s.store, token32)
	require.NoError(p, err)
	gate, err := gateway.New(gateway.Options{Origin: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Middleware: s.mw})
	require.NoError(p, err)
	p.print(handler, gate, gateway.Options{Middleware: s.mw}, s.manager, s.mw, s.store)
}

// print prints each value as it is, what it points to or a pointer to it, and
// inside an unexported field, where fmt calls no method.
func (p *press) print(values ...any) {
	for _, v := range values {
		p.plain(v)
		r := reflect.ValueOf(v)
		if r.Kind() == reflect.Pointer {
			p.plain(r.Elem().Interface())
		} else {
			to := reflect.New(r.Type())
			to.Elem().Set(r)
			p.plain(to.Interface())
		}
	}
}

func (p *press) plain(values ...any) {
	for _, v := range values {
		p.seen[strings.TrimLeft(reflect.TypeOf(v).String(), "*")] = true
		forms := []any{v, struct{ hidden any }{v}, &struct{ hidden any }{v}, []any{v}, map[string]any{"v": v}}
		verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"}
		if len(fmt.Sprint(v)) > largeText { // as a store in memory has
			fmt.Fprintf(&p.text, "%v\n%x\n", forms[1], forms[1])
			continue
		}
		for _, form := range forms {
			for _, verb := range verbs {
				fmt.Fprintf(&p.text, verb+"\n", form)
			}
			if out, err := json.Marshal(form); err == nil {
				p.text.Write(out)
			}
			for _, h := range []slog.Handler{slog.NewTextHandler(&p.text, nil), slog.NewJSONHandler(&p.text, nil)} {
				slog.New(h).Info("printed", "value", form)
			}
		}
	}
}

// requireHidden looks for a secret as text, in hex, as numbers and in base64.
func (p *press) requireHidden(what, hidden string) {
	p.Helper()
	part := []byte(hidden)[:12]
	numbers := strings.Trim(fmt.Sprint(part), "[]")
	goSyntax := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}")
	text := p.text.String()
	require.Greater(p, len(text), 10_000, "nothing was printed")
	for _, form := range []string{string(part), fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), numbers, strings.ReplaceAll(numbers, " ", ","), goSyntax,
		hex.EncodeToString([]byte(hex.EncodeToString(part))), base64.StdEncoding.EncodeToString(part), base64.URLEncoding.EncodeToString(part)} {
		if at := strings.Index(text, form); at >= 0 {
			p.Fatalf("the %s is printed: %q", what, text[max(0, at-300):at+len(form)])
		}
	}
}

// requireEveryType holds the exported types of the packages to having been
// printed, so that a new one is not forgotten.
func (p *press) requireEveryType() {
	for name, dir := range map[string]string{"core": "core", "wire": "core/wire", "hosts": "hosts", "coalesce": "hosts/coalesce", "nethttp": "hosts/nethttp", "gateway": "hosts/gateway"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		require.NoError(p, err)
		require.NotEmpty(p, files)
		for _, path := range files {
			text, err := os.ReadFile(path)
			require.NoError(p, err)
			file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
			require.NoError(p, err)
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, d := range file.Decls {
				group, ok := d.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range group.Specs {
					if typ, ok := spec.(*ast.TypeSpec); ok && typ.Name.IsExported() && !isInterface(typ) && !slices.Contains(innocent, name+"."+typ.Name.Name) {
						require.True(p, p.seen[name+"."+typ.Name.Name], "type %s.%s is not printed", name, typ.Name.Name)
					}
				}
			}
		}
	}
}

func isInterface(spec *ast.TypeSpec) bool {
	_, ok := spec.Type.(*ast.InterfaceType)
	return ok
}
