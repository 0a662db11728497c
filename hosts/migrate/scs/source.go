package scs

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/rockstar-web/sessions/hosts/migrate"
)

// maxToken bounds the cookies that are looked up; scs makes 43 characters.
const maxToken = 256

// Source returns the sessions of an scs manager as they can be moved.
func Source(m *scs.SessionManager) (migrate.Source, error) {
	if m == nil || m.Store == nil || m.Codec == nil {
		return nil, errors.New("scs migration: the session manager is nil, or has no Store or Codec: pass the one that the application used with LoadAndSave")
	}
	return &source{m}, nil
}

type source struct{ m *scs.SessionManager }

// Cookie is as LoadAndSave sets it.
func (s *source) Cookie() http.Cookie {
	c := s.m.Cookie
	return http.Cookie{Name: c.Name, Path: c.Path, Domain: c.Domain, Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite, Partitioned: c.Partitioned}
}

func (s *source) Load(ctx context.Context, r *http.Request) (*migrate.Old, error) {
	c, err := r.Cookie(s.m.Cookie.Name)
	if err != nil || c.Value == "" || len(c.Value) > maxToken {
		return nil, nil
	}
	b, found, err := s.find(ctx, s.stored(c.Value))
	if err != nil {
		return nil, err
	}
	old := &migrate.Old{Token: c.Value}
	if !found {
		return old, nil
	}
	err = migrate.DecodeGob(b, func(b []byte) (err error) {
		old.Expires, old.Values, err = s.m.Codec.Decode(b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read a session of scs: %w", err)
	}
	if old.Values == nil {
		old.Values = map[string]any{}
	}
	return old, nil
}

// stored is the token as the store knows it.
func (s *source) stored(token string) string {
	if !s.m.HashTokenInStore {
		return token
	}
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

func (s *source) find(ctx context.Context, token string) ([]byte, bool, error) {
	if store, ok := s.m.Store.(scs.CtxStore); ok {
		return store.FindCtx(ctx, token)
	}
	return s.m.Store.Find(token)
}

func (s *source) End(ctx context.Context, token string) error {
	token = s.stored(token)
	if store, ok := s.m.Store.(scs.CtxStore); ok {
		return store.DeleteCtx(ctx, token)
	}
	return s.m.Store.Delete(token)
}
