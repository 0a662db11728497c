package migrate

import (
	"encoding/gob"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnregistered means that a value is of a type that the program has not
// registered with gob.Register, as the one that stored it had.
var ErrUnregistered = errors.New("its type is not registered with encoding/gob: call gob.Register as the old program did")

// ErrUnreadable is for sources: a session is there, and nothing of it can be read.
// Its visitor is anonymous, the session stays as it is, and a log line says why.
var ErrUnreadable = errors.New("an old session cannot be read")

// maxUnread bounds the types of one session that cannot be read.
const maxUnread = 64

// Applications of every library store these, and gorilla's registers them.
func init() {
	gob.Register([]any{})
	gob.Register(map[string]any{})
	gob.RegisterName(unreadName, unread(""))
}

// unread is what stands in the place of a value that gob cannot read: the name of
// the type, and after a zero byte why, where the type is registered.
type unread string

const unreadName = "github.com/rockstar-web/sessions/hosts/migrate.unread"

// Unread is for values that a source has got from DecodeGob. It returns why one
// could not be read, and nil for one that is as it was.
func Unread(v any) error {
	u, ok := v.(unread)
	if !ok {
		return nil
	}
	name, why, known := strings.Cut(string(u), "\x00")
	if known {
		return fmt.Errorf("type %s: %s", name, why)
	}
	return fmt.Errorf("type %s: %w", name, ErrUnregistered)
}

// DecodeGob is for sources. It calls decode with what gob has encoded. Where values
// in it are of types that cannot be read it calls it again without these: Unread
// reports them. An error is ErrUnreadable.
func DecodeGob(encoded []byte, decode func([]byte) error) error {
	d := decoding{encoded, decode, map[string]string{}}
	err := decode(encoded)
	if err == nil {
		return nil
	}
	if err = d.withoutUnregistered(err); err == nil || d.withoutMisfits(err) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}

type decoding struct {
	encoded []byte
	decode  func([]byte) error
	without map[string]string // what to put in the place of the values of a type
}

func (d *decoding) try() error {
	rest, _, bad := rewrite(d.encoded, d.without)
	if bad {
		return errMalformed
	}
	return d.decode(rest)
}

var errMalformed = errors.New("it is not what encoding/gob makes")

// withoutUnregistered leaves one type after another out, as gob names them.
func (d *decoding) withoutUnregistered(err error) error {
	for err != nil && len(d.without) < maxUnread {
		name, ok := unregisteredName(err)
		if !ok || d.without[name] != "" {
			return err
		}
		d.without[name] = name
		err = d.try()
	}
	return err
}

// withoutMisfits leaves a type out that is registered and is another one now: gob
// does not name it. Where they are several, all types of packages are left out.
func (d *decoding) withoutMisfits(cause error) bool {
	_, names, bad := rewrite(d.encoded, d.without)
	if bad || len(names) > maxUnread {
		return false
	}
	var left []string
	for _, name := range names {
		if d.without[name] != "" {
			continue
		}
		d.without[name] = name + "\x00" + cause.Error()
		err := d.withoutUnregistered(d.try())
		if err == nil {
			return true
		}
		delete(d.without, name)
		left = append(left, name)
	}
	for _, name := range left {
		if d.without[name] == "" && strings.Contains(name, ".") {
			d.without[name] = name + "\x00" + cause.Error()
		}
	}
	return d.try() == nil
}

func unregisteredName(err error) (string, bool) {
	_, quoted, found := strings.Cut(err.Error(), "gob: name not registered for interface: ")
	if !found {
		return "", false
	}
	name, err := strconv.Unquote(quoted)
	return name, err == nil && name != ""
}
