package gorilla

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/rockstar-web/sessions/hosts/migrate"
)

// Options are what the old store was made with.
type Options struct {
	Name     string   // of the session, which is the cookie's
	KeyPairs [][]byte // as NewCookieStore and NewFilesystemStore took them
	// Dir is the directory of a FilesystemStore; empty is for a CookieStore.
	Dir string

	// MaxAge is how long a cookie counts from its last Save. Zero is the default of
	// gorilla, 30 days. For a store that was given 0 write NoLimit.
	MaxAge time.Duration

	Path     string // [/]
	Domain   string
	Secure   bool
	SameSite http.SameSite
}

// NoLimit is the MaxAge of cookies that never expire by themselves. They are
// moved until they are 400 days old, the longest that browsers keep a cookie.
const NoLimit time.Duration = -1

const (
	defaultAge = 30 * 24 * time.Hour
	longestAge = 400 * 24 * time.Hour
	maxFile    = 1 << 20 // bytes of a session's file
)

// Source returns the sessions of a gorilla store as they can be moved.
func Source(o Options) (migrate.Source, error) {
	switch {
	case o.Name == "":
		return nil, errors.New("gorilla migration: Name is empty: give the name that the application passed to store.Get")
	case len(o.KeyPairs) == 0:
		return nil, errors.New("gorilla migration: KeyPairs is empty: give what NewCookieStore or NewFilesystemStore was given")
	case o.MaxAge < 0 && o.MaxAge != NoLimit:
		return nil, fmt.Errorf("gorilla migration: MaxAge %v is negative: give the store's, or NoLimit", o.MaxAge)
	}
	s := &source{o: o, age: o.MaxAge}
	switch o.MaxAge {
	case 0:
		s.age = defaultAge
	case NoLimit:
		s.age = longestAge
	}
	if s.o.Path == "" {
		s.o.Path = "/"
	}
	for i, c := range securecookie.CodecsFromPairs(o.KeyPairs...) {
		codec := c.(*securecookie.SecureCookie)
		codec.SetSerializer(securecookie.NopEncoder{}).MaxLength(maxFile).MaxAge(int(s.age / time.Second))
		if _, err := codec.Encode(o.Name, []byte("probe")); err != nil {
			return nil, fmt.Errorf("gorilla migration: key pair %d: %w", i+1, err)
		}
		s.codecs = append(s.codecs, codec)
	}
	return s, nil
}

type source struct {
	o      Options
	age    time.Duration
	codecs []securecookie.Codec
}

func (s *source) Cookie() http.Cookie {
	return http.Cookie{Name: s.o.Name, Path: s.o.Path, Domain: s.o.Domain, Secure: s.o.Secure, HttpOnly: true, SameSite: s.o.SameSite}
}

func (s *source) Load(_ context.Context, r *http.Request) (*migrate.Old, error) {
	c, err := r.Cookie(s.o.Name)
	if err != nil {
		return nil, nil
	}
	var sealed []byte
	if err := securecookie.DecodeMulti(s.o.Name, c.Value, &sealed, s.codecs...); err != nil {
		if c.Value == "" || expired(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("cookie %s: %w: give Options.KeyPairs and Options.Name as the old program does", s.o.Name, migrate.ErrNotOpened)
	}
	old := &migrate.Old{Token: c.Value, Expires: stamp(c.Value).Add(s.age)}
	if s.o.Dir != "" {
		if sealed, err = s.file(old, sealed); err != nil {
			return nil, err
		} else if sealed == nil {
			return old, nil
		}
	}
	if old.Values, err = s.values(sealed); err != nil {
		return nil, fmt.Errorf("read a session of cookie %s: %w", s.o.Name, err)
	}
	return old, nil
}

// expired reports whether one of the keys fits a cookie that is too old. The age is
// checked once the cookie is known to be authentic.
func expired(err error) bool {
	var each securecookie.MultiError
	return errors.As(err, &each) && slices.ContainsFunc(each, func(err error) bool {
		return strings.Contains(err.Error(), "expired timestamp")
	})
}

// file reads the session whose ID a cookie seals. The ID, which stays the same when
// the cookie is set anew, is the token; nothing is read where there is no file.
func (s *source) file(old *migrate.Old, sealed []byte) (content []byte, err error) {
	if err := (securecookie.GobEncoder{}).Deserialize(sealed, &old.Token); err != nil {
		return nil, fmt.Errorf("cookie %s holds no ID of a file, as those of a CookieStore: leave Options.Dir empty: %w", s.o.Name, migrate.ErrUnreadable)
	}
	f, err := os.Open(s.name(old.Token))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if securecookie.DecodeMulti(s.o.Name, string(text), &content, s.codecs...) != nil {
		return nil, nil // expired, as the old store would say
	}
	return content, nil
}

func (s *source) name(id string) string {
	return filepath.Join(s.o.Dir, "session_"+filepath.Base(id))
}

func (s *source) End(_ context.Context, token string) error {
	if s.o.Dir == "" {
		return nil
	}
	if err := os.Remove(s.name(token)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// stamp is when a cookie that was verified was made.
func stamp(value string) time.Time {
	b, _ := base64.URLEncoding.DecodeString(value)
	seconds, _, _ := strings.Cut(string(b), "|")
	n, _ := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0)
}

// values are by the printed form of their names, which mostly are strings.
func (s *source) values(sealed []byte) (map[string]any, error) {
	var m map[any]any
	err := migrate.DecodeGob(sealed, func(b []byte) error {
		m = nil
		return securecookie.GobEncoder{}.Deserialize(b, &m)
	})
	if err != nil {
		return nil, err
	}
	values := make(map[string]any, len(m))
	for name, v := range m {
		if err := migrate.Unread(name); err != nil {
			values["(a name)"] = name // which is reported
			continue
		}
		values[fmt.Sprint(name)] = v
	}
	return values, nil
}
