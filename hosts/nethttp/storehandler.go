package nethttp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// MinStoreToken is the shortest token of a StoreHandler, in bytes.
const MinStoreToken = 32

// maxStoreBody is a version and the largest record, in bytes.
const maxStoreBody = 8 + core.MaxSealed + 2*core.MaxName + 128

// StoreHandler lends a store to hosts elsewhere, such as JavaScript at the edge
// that cannot reach a database. Serve it over HTTPS, and for nobody but them:
// anybody who has the token can end every session, and put back an older state of
// one that they have loaded before, such as a session that has been logged out;
// without the key they can read and make none.
//
// Requests are POSTs with "Authorization: Bearer TOKEN" below the path that the
// handler is mounted at (http.StripPrefix):
//
//	/load    22 characters of ID        200 with a record, 404, 422 for a damaged one
//	/save    version 8, record          204, 409 on a conflict
//	/delete  22 characters of ID        204
//	/caching                            204
//
// Caching answers with the field "Session-Caching": "yes" where servers keep records
// in a cache, so that logouts wait (see feed.Wait), else "no". A client that asks for
// it after a logout sends "Session-Wait: caller" with its deletes; for one that does
// not, delete answers after the wait.
//
// A record is as wire.AppendRecord writes it, the version little-endian. 400 and
// 413 mean that the record is refused, 401 a wrong token, 503 that the store
// could not be asked; with the field "Session-Store: refused" it has certainly
// changed nothing.
func StoreHandler(store hosts.Store, token string) (http.Handler, error) {
	if store == nil {
		return nil, fmt.Errorf("nethttp: %w", &hosts.ConfigError{Field: "store", Value: "nil", Allowed: "a hosts.Store"})
	}
	if len(token) < MinStoreToken {
		return nil, fmt.Errorf("nethttp: %w", &hosts.ConfigError{Field: "token", Value: fmt.Sprintf("of %d bytes", len(token)), Allowed: "32 bytes or more; make one with: openssl rand -hex 32"})
	}
	h := &storeHandler{store, sha256.Sum256([]byte(token))}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /load", h.guard(h.load))
	mux.HandleFunc("POST /save", h.guard(h.save))
	mux.HandleFunc("POST /delete", h.guard(h.delete))
	mux.HandleFunc("POST /caching", h.guard(h.caching))
	return mux, nil
}

type storeHandler struct {
	store hosts.Store
	token [32]byte // its digest, so that a comparison takes the same time whatever is sent
}

// guard asks for the token and reads the body, which is bounded.
func (h *storeHandler) guard(do func(w http.ResponseWriter, r *http.Request, body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		NoStore(w.Header())
		shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		digest := sha256.Sum256([]byte(shown))
		if subtle.ConstantTimeCompare(digest[:], h.token[:]) != 1 || !ok {
			http.Error(w, "wrong token", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxStoreBody))
		if err != nil {
			status := http.StatusBadRequest
			if _, large := errors.AsType[*http.MaxBytesError](err); large {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "the body could not be read", status)
			return
		}
		do(w, r, body)
	}
}

func (h *storeHandler) load(w http.ResponseWriter, r *http.Request, body []byte) {
	id, err := core.ParseID(string(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rec, err := h.store.Load(r.Context(), id)
	if err != nil {
		storeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(wire.AppendRecord(nil, &rec)) // the client has gone
}

func (h *storeHandler) save(w http.ResponseWriter, r *http.Request, body []byte) {
	if len(body) < 8 {
		http.Error(w, "the body is no version and record", http.StatusBadRequest)
		return
	}
	rec, err := wire.ReadRecord(bytes.Clone(body[8:]))
	if err != nil {
		http.Error(w, "the body is no version and record", http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	if r.URL.Query().Get("touch") == "1" {
		ctx = hosts.TouchContext(ctx)
	}
	h.done(w, h.store.Save(ctx, rec, core.Version(binary.LittleEndian.Uint64(body))))
}

func (h *storeHandler) delete(w http.ResponseWriter, r *http.Request, body []byte) {
	id, err := core.ParseID(string(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err = h.store.Delete(r.Context(), id)
	if err == nil && r.Header.Get("Session-Wait") != "caller" {
		err = h.wait(r.Context(), time.Now())
	}
	h.done(w, err)
}

// wait is for clients that know nothing of caches.
func (h *storeHandler) wait(ctx context.Context, since time.Time) error {
	waits, err := h.waits(ctx)
	if err != nil || !waits {
		return err
	}
	select {
	case <-time.After(time.Until(since.Add(feed.Wait))):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", hosts.ErrNotFinal, context.Cause(ctx))
	}
}

// waits reports whether logouts wait for caches.
func (h *storeHandler) waits(ctx context.Context) (bool, error) {
	c, ok := hosts.As[feed.Caching](h.store)
	if !ok {
		return false, nil
	}
	state, err := c.CachingState(ctx)
	return state.Waits(), err
}

func (h *storeHandler) caching(w http.ResponseWriter, r *http.Request, _ []byte) {
	waits, err := h.waits(r.Context())
	w.Header().Set("Session-Caching", map[bool]string{true: "yes", false: "no"}[waits])
	h.done(w, err)
}

func (h *storeHandler) done(w http.ResponseWriter, err error) {
	if err != nil {
		storeError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// isRefused finds answers of a store that certainly has changed nothing.
func isRefused(err error) bool {
	return errors.Is(err, hosts.ErrRefused) || errors.Is(err, hosts.ErrBusy) || errors.Is(err, hosts.ErrFull) || errors.Is(err, hosts.ErrClosed)
}

// storeError says nothing about the store but which kind of failure it was.
func storeError(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, core.ErrNotFound):
		http.Error(w, "not found", http.StatusNotFound)
	case errors.Is(err, core.ErrConflict):
		http.Error(w, "conflict", http.StatusConflict)
	case errors.Is(err, core.ErrTooLarge):
		http.Error(w, "the record is too large", http.StatusRequestEntityTooLarge)
	case errors.Is(err, core.ErrBadRecord), errors.Is(err, core.ErrBadName), errors.Is(err, core.ErrBadID):
		http.Error(w, "the record is outside its bounds", http.StatusBadRequest)
	case errors.Is(err, core.ErrCorrupt):
		http.Error(w, "the record is damaged", http.StatusUnprocessableEntity)
	default:
		if isRefused(err) {
			w.Header().Set("Session-Store", "refused")
		}
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
	}
}
