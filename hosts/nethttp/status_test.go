package nethttp_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// statuses has every exported error of core, hosts and nethttp, by its name.
var statuses = map[int]map[string]error{
	http.StatusUnauthorized: {
		"core.ErrNoCookie": core.ErrNoCookie, "core.ErrMalformed": core.ErrMalformed, "core.ErrUnknownKey": core.ErrUnknownKey,
		"core.ErrNotAuthentic": core.ErrNotAuthentic, "core.ErrNotFound": core.ErrNotFound, "core.ErrWrongTenant": core.ErrWrongTenant,
		"core.ErrIdle": core.ErrIdle, "core.ErrExpired": core.ErrExpired, "core.ErrSuperseded": core.ErrSuperseded,
		"core.ErrTheft": core.ErrTheft, "core.ErrIPChanged": core.ErrIPChanged, "core.ErrUserAgentChanged": core.ErrUserAgentChanged,
		"core.ErrEnded": core.ErrEnded, "nethttp.ErrSessionEnded": nethttp.ErrSessionEnded, "core.ErrCorrupt": core.ErrCorrupt,
		"core.Refusal": core.NewRefusal(core.ReasonIdle, false, "detail"), "core.ErrIPFamily": core.ErrIPFamily, "nethttp.ErrNotSignedIn": nethttp.ErrNotSignedIn,
		"core.ErrCredentialsChanged": core.ErrCredentialsChanged, "core.ErrNotFresh": core.ErrNotFresh, "core.ErrMethodsMissing": core.ErrMethodsMissing, "core.ErrNobody": core.ErrNobody,
	},
	http.StatusBadRequest: {
		"core.ErrBadUser": core.ErrBadUser, "core.ErrLifetime": core.ErrLifetime, "core.ErrValueName": core.ErrValueName,
		"core.ErrBadName": core.ErrBadName, "core.ErrBadID": core.ErrBadID, "core.ErrNesting": core.ErrNesting, "core.ErrTime": core.ErrTime,
		"core.PolicyError": &hosts.ConfigError{Field: "limit", Value: "-1", Allowed: "1 to 1000"},
	},
	http.StatusForbidden: {"core.ErrCrossSite": core.ErrCrossSite, "hosts.ErrSessionLimit": hosts.ErrSessionLimit},
	http.StatusConflict:  {"core.ErrConflict": core.ErrConflict, "core.ConflictError": &core.ConflictError{Name: "cart"}},
	http.StatusRequestEntityTooLarge: {
		"core.ErrTooLarge": core.ErrTooLarge, "core.SizeError": &core.SizeError{Name: "n", Size: 2, Limit: 1}, "core.ErrValueSize": core.ErrValueSize,
	},
	http.StatusInternalServerError: {
		"core.ErrCounter": core.ErrCounter, "core.ErrAgain": core.ErrAgain, "nethttp.ErrUpdating": nethttp.ErrUpdating, "nethttp.ErrBypassed": nethttp.ErrBypassed, "nethttp.ErrLoginRequired": nethttp.ErrLoginRequired,
		"nethttp.ErrConfirmRequired": nethttp.ErrConfirmRequired, "hosts.ErrNoStamp": hosts.ErrNoStamp, "core.ErrStamp": core.ErrStamp, "core.ErrMethod": core.ErrMethod,
		"core.Error": core.Error("any other"), "core.ErrBadRecord": core.ErrBadRecord, "core.ErrNewerRecord": core.ErrNewerRecord,
		"core.ErrNoKey": core.ErrNoKey, "core.ErrKeyHex": core.ErrKeyHex, "core.ErrKeyLength": core.ErrKeyLength, "core.ErrWeakKey": core.ErrWeakKey,
		"core.ErrKeyHexRaw": core.ErrKeyHexRaw, "hosts.ErrWeakSecret": hosts.ErrWeakSecret, "core.ErrSameKey": core.ErrSameKey, "core.ErrNoSealing": core.ErrNoSealing,
		"core.ErrTooManyKeys": core.ErrTooManyKeys, "core.ErrNoCipher": core.ErrNoCipher, "core.ErrKeyTimes": core.ErrKeyTimes,
		"core.ErrBytes": core.ErrBytes, "core.ErrType": core.ErrType, "core.ErrBadValue": core.ErrBadValue, "core.ErrIntSize": core.ErrIntSize,
		"hosts.ErrNoAnswer": hosts.ErrNoAnswer, "hosts.ErrNoSecret": hosts.ErrNoSecret, "hosts.ErrNoFinder": hosts.ErrNoFinder, "hosts.ErrNoFeed": hosts.ErrNoFeed,
		"hosts.ErrNoSweeper": hosts.ErrNoSweeper, "hosts.ErrNoValue": hosts.ErrNoValue, "hosts.ErrValueType": hosts.ErrValueType,
		"nethttp.ErrNoHandler": nethttp.ErrNoHandler, "nethttp.ErrHeadersSent": nethttp.ErrHeadersSent, "nethttp.ErrCommitted": nethttp.ErrCommitted,
		"nethttp.ErrDevelopment": nethttp.ErrDevelopment, "nethttp.ErrSameCookie": nethttp.ErrSameCookie, "nethttp.StatusError": &nethttp.StatusError{Status: 500, Text: "ours"},
	},
	http.StatusServiceUnavailable: {
		"hosts.ErrUnavailable": hosts.ErrUnavailable, "hosts.ErrRefused": hosts.ErrRefused, "hosts.ErrUnknown": hosts.ErrUnknown,
		"hosts.ErrBusy": hosts.ErrBusy, "hosts.ErrFull": hosts.ErrFull, "hosts.ErrClosed": hosts.ErrClosed, "hosts.ErrBatch": hosts.ErrBatch,
		"core.ErrSeed": core.ErrSeed, "hosts.ErrNotFinal": hosts.ErrNotFinal, "hosts.ErrCredentials": hosts.ErrCredentials,
	},
}

// Every error has the status that it deserves, and none is forgotten.
func TestEveryErrorHasItsStatus(t *testing.T) {
	var known []string
	for status, errs := range statuses {
		for name, err := range errs {
			known = append(known, name)
			for _, e := range []error{err, fmt.Errorf("save session x: %w", err)} {
				got, text := nethttp.Failure(e)
				require.Equal(t, status, got, name)
				require.NotEmpty(t, text, name)
			}
		}
	}
	var exported []string
	for name, dir := range map[string]string{"core": "../../core", "hosts": "..", "nethttp": "."} {
		exported = append(exported, exportedErrors(t, name, dir)...)
	}
	require.Greater(t, len(exported), 50, "the sources were not found")
	require.ElementsMatch(t, exported, known, "each exported error belongs into the table above")
	status, _ := nethttp.Failure(fmt.Errorf("anything else"))
	require.Equal(t, http.StatusInternalServerError, status, "nobody knows that the store does not answer")
}

// exportedErrors reads the names of a package's error values, and of its types
// with a method Error.
func exportedErrors(t *testing.T, name, dir string) (found []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && d.Name.Name == "Error" {
					found = appendExported(found, name, receiver(d.Recv.List[0].Type))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, n := range v.Names {
							if strings.HasPrefix(n.Name, "Err") {
								found = appendExported(found, name, n)
							}
						}
					}
				}
			}
		}
	}
	return found
}

func receiver(e ast.Expr) *ast.Ident {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	id, _ := e.(*ast.Ident)
	return id
}

func appendExported(found []string, pkg string, id *ast.Ident) []string {
	if id == nil || !id.IsExported() {
		return found
	}
	return append(found, pkg+"."+id.Name)
}

// A fault of the program is logged where it happened, and is no outage.
func TestAFaultOfTheProgramIsLogged(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		s.mw.Require(http.NotFoundHandler()).ServeHTTP(w, r.WithContext(t.Context()))
	})
	require.NotEqual(t, http.StatusServiceUnavailable, a.status)
	s.manager.Failed(nethttp.ErrNoHandler)
	s.manager.Failed(fmt.Errorf("load: %w", hosts.ErrUnavailable))
	require.Contains(t, s.log.String(), nethttp.ErrNoHandler.Error())
	require.NotContains(t, s.log.String(), hosts.ErrUnavailable.Error(), "whoever met it has reported it")
}
